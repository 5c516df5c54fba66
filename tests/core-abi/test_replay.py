"""The recorded shop sessions give the figures that were counted from the recording by other means."""

import collections
import itertools
import json
import time
import unittest

import shop
from core import Core
from processor import Processor, record
from vectors import compiled, needs_binary

needs_recording = unittest.skipUnless(shop.RECORDING.is_file(), f"{shop.RECORDING} is not on this machine")
BY_CATEGORY = {"1": 3_121, "2": 2_717, "3": 2_483, "4": 2_132}
FIRINGS = 10_453
VISITS = 12_147


class Replay(unittest.TestCase):
    @needs_binary
    @needs_recording
    def test_the_recording_gives_its_known_figures(self):
        core = Core()
        handle = core.opened(core.call("evaluator_new", core.put(compiled(shop.RULES))))
        counted, by_category, ids = collections.Counter(), collections.Counter(), set()
        batches = list(shop.batches())
        started = time.perf_counter()
        # Everything twice: what is repeated counts as a duplicate and nowhere else.
        for batch in batches + batches:
            answer = core.answer(core.call("evaluator_absorb", handle, core.put(batch)))
            self.assertEqual(answer["errors"], [])
            counted.update({name: answer[name] for name in ("accepted", "duplicates")})
            by_category.update(firing["key"] for firing in answer["firings"])
            ids.update(firing["id"] for firing in answer["firings"])
        seconds = time.perf_counter() - started
        summary = core.answer(core.call("evaluator_summary", handle))
        print(f"replay: {json.dumps(summary)} in {seconds:.1f} s, {2 * len(batches)} calls")
        self.assertEqual((summary["profiles"], summary["events"], summary["firings"]), (VISITS, 83_853, FIRINGS))
        self.assertEqual(summary["signals"]["price_cents"], 366_349_700)
        self.assertEqual(by_category, BY_CATEGORY)
        self.assertEqual(counted, {"accepted": 83_853, "duplicates": 83_853})
        self.assertEqual(len(ids), FIRINGS, "firings have ids of their own")

    @needs_binary
    @needs_recording
    def test_members_that_are_saved_and_opened_anew_in_the_middle_fire_the_same(self):
        bundle = compiled(shop.RULES)
        through, halved = Processor(Core(), bundle), Processor(Core(), bundle)
        fired, fired_anew, events, state_bytes = [], [], 0, []
        started = time.perf_counter()
        visits = shop.visits()
        for visit in visits:
            name, records = visit[0]["anonymous_id"], [record(event) for event in visit]
            member, profile = through.member(name), through.profile()
            fired += self.step(through, member, profile, records)
            events += through.view(profile)["events"]
            through_saved = (member.close(), profile.close())
            saved = (b"", b"")
            middle = len(records) // 2
            for half in (records[:middle], records[middle:]):
                member, profile = halved.member(name, saved[0]), halved.profile(saved[1])
                fired_anew += self.step(halved, member, profile, half)
                saved = (member.close(), profile.close())
            self.assertEqual(saved, through_saved, name)
            state_bytes.append(sum(map(len, saved)))
        seconds = time.perf_counter() - started
        mean = sum(state_bytes) / len(state_bytes)
        print(f"replay by member: {len(fired)} firings of {events} events, twice in {seconds:.1f} s, {mean:.0f} bytes a visitor")
        self.assertEqual((len(visits), events), (VISITS, 83_853))
        self.assertEqual(collections.Counter(firing["key"] for firing in fired), BY_CATEGORY)
        self.assertEqual(fired_anew, fired)
        self.assertEqual(len({firing["id"] for firing in fired}), FIRINGS)

    @needs_binary
    @needs_recording
    def test_two_halves_of_each_visitor_that_were_absorbed_apart_are_combined_into_the_same(self):
        bundle = compiled(shop.RULES)
        apart = [Processor(Core(), bundle), Processor(Core(), bundle)]
        combiner = Processor(Core(), bundle)
        by_category, spent = collections.Counter(), 0
        for number, visit in enumerate(shop.visits()):
            halves = []
            for side, processor in enumerate(apart):
                # Every other click comes from another browser, in which the same user has logged in.
                own = [
                    event | {"anonymous_id": f"{event['anonymous_id']}/{side}", "user_id": f"user-{number}"}
                    for event in visit[side::2]
                ]
                if not own:
                    continue
                member = processor.member(own[0]["anonymous_id"])
                halves.append(self.absorb(processor, member, [record(event) for event in own]))
                member.close()
            profile = combiner.profile()
            # As the log has them: by time.
            turns = [change for turn in itertools.zip_longest(*halves) for change in turn if change]
            answer = combiner.combine(profile, turns)
            self.assertEqual((answer["errors"], answer["accepted"]), ([], len(visit)))
            by_category.update(firing["key"] for firing in answer["firings"])
            view = combiner.view(profile)
            self.assertEqual((view["profile"], view["events"]), (f"user:user-{number}", len(visit)))
            spent += view["signals"]["price_cents"]
            profile.close()
        print(f"replay in halves: {sum(by_category.values())} firings, {spent} cents")
        self.assertEqual((by_category, spent), (BY_CATEGORY, 366_349_700))

    def step(self, processor, member, profile, records):
        """Absorbs and combines, and returns what fired."""
        answer = processor.combine(profile, self.absorb(processor, member, records))
        self.assertEqual((answer["errors"], answer["duplicates"]), ([], 0))
        return answer["firings"]

    def absorb(self, processor, member, records):
        """Absorbs, and returns the changes."""
        answer = processor.absorb(member, records)
        self.assertEqual((answer["errors"], answer["accepted"]), ([], len(records)))
        return answer["changes"]
