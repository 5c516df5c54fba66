"""The vectors of ranges and of candidates: how units are divided between variations, and between two bundles."""

import hashlib
import json
import math
import pathlib
import tempfile
import unittest

from core import Core, CoreError
from processor import Processor
from statement import statement
from vectors import attune, compiled, needs_binary, spec

TRIGGER = {"triggers": [{"id": "any", "on": "click", "actions": []}]}


class Division(unittest.TestCase):
    def test_every_bucketing_vector_gives_its_ranges(self):
        core, vectors, asked = Core(), spec("21-bucketing"), 0
        for vector in vectors:
            division = {part: vector[part] for part in ("count", "coverage", "weights") if part in vector}
            ranges = core.answer(core.call("bucket_ranges", core.put(json.dumps(division))))
            self.assertEqual(ranges, vector["ranges"], vector["name"])
            asked += 1
        print(f"bucket_ranges: {asked} of {len(vectors)} vectors")
        self.assertEqual(asked, len(vectors))

    def test_every_unit_gets_the_bundle_that_its_vector_says(self):
        core, vectors, by_candidate = Core(), spec("60-candidate"), {}
        for vector in vectors:
            by_candidate.setdefault((vector["seed"], vector["share"]), []).append(vector)
        asked = 0
        for (seed, share), members in by_candidate.items():
            bundles, units = divided(core, statement(seed, share), [vector["unit"] for vector in members])
            self.assertEqual([bundle["revision"] for bundle in bundles], [1, 2])
            for vector, number in zip(members, units, strict=True):
                self.assertEqual(bundles[number]["revision"], vector["revision"], vector["name"])
                asked += 1
        print(f"current_bundles: {asked} of {len(vectors)} vectors by {len(by_candidate)} statements")
        self.assertEqual(asked, len(vectors))

    @needs_binary
    def test_every_member_is_judged_by_the_bundle_that_its_vector_says(self):
        core, vectors, by_candidate, judged = Core(), spec("60-candidate"), {}, 0
        for vector in vectors:
            by_candidate.setdefault((vector["seed"], vector["share"]), []).append(vector)
        current, candidate = (compiled(TRIGGER, revision) for revision in (1, 2))
        for (seed, share), members in by_candidate.items():
            processor = Processor(core, current)
            processor.roll_out(statement(seed, share), candidate, 0)
            for vector in members:
                if is_member(vector["unit"]):
                    self.assertEqual(fired(processor, vector["unit"]), [vector["revision"]], vector["name"])
                    judged += 1
            processor.roll_out(b"", b"", 1)
            self.assertEqual(fired(processor, "anybody"), [1])
            processor.free()
        print(f"processor_rollout: {judged} of {len(vectors)} vectors, those whose unit can be a member")
        self.assertEqual(judged, sum(is_member(vector["unit"]) for vector in vectors))
        self.assertGreater(judged, 70)

    @needs_binary
    def test_a_rollout_that_cannot_be_is_refused_and_the_one_under_way_goes_on(self):
        one, two, three = (compiled(TRIGGER, revision) for revision in (1, 2, 3))
        everybody = statement("all", 10_000)
        processor = Processor(Core(), one)
        processor.roll_out(everybody, two, 0)
        for code, named, candidate, at_ms in (
            ("candidate_other", everybody, three, 0),
            ("bundle_bad_magic", b"x" * 200, two, 0),
            ("bundle_truncated", everybody, b"", 0),
            ("time_out_of_range", everybody, two, math.nan),
        ):
            with self.assertRaises(CoreError) as refused:
                processor.roll_out(named, candidate, at_ms)
            self.assertEqual(refused.exception.code, code)
        self.assertEqual(fired(processor, "m"), [2])
        processor.publish(three, 0)
        self.assertEqual(fired(processor, "m"), [2], "the candidate goes on until it is ended")
        with self.assertRaises(CoreError) as refused:
            processor.roll_out(everybody, two, 0)
        self.assertEqual(refused.exception.code, "bundle_lower_revision")

    def test_a_statement_without_a_candidate_names_one_bundle_and_no_unit_that_is_no_text(self):
        bundles, units = divided(Core(), statement(), ["a", 7, None, "b"])
        self.assertEqual(bundles, [{"revision": 1, "hash": "01" * 32}])
        self.assertEqual(units, [0, None, None, 0])

    @needs_binary
    def test_a_signed_statement_names_its_bundles_by_the_hashes_of_their_envelopes(self):
        with tempfile.TemporaryDirectory() as folder:
            rules, key, current, *bundles = (
                pathlib.Path(folder, name) for name in ("rules", "key", "current", "one", "two")
            )
            rules.mkdir()
            (rules / "rules.json").write_text('{"rules":[]}', encoding="utf-8")
            attune("keygen", "--output", key)
            for revision, bundle in enumerate(bundles, 1):
                attune("compile", rules, "--output", bundle)
                attune("sign", bundle, "--key", key, "--output", bundle, "--revision", revision)
            trial = ["--candidate", bundles[1], "--percent", "50", "--seed", "half"]
            attune("current", bundles[0], "--key", key, "-o", current, *trial)
            even = [vector for vector in spec("60-candidate") if vector["seed"] == "half"]
            named, units = divided(Core(), current.read_bytes(), [vector["unit"] for vector in even])
            hashes = [hashlib.sha256(bundle.read_bytes()).hexdigest() for bundle in bundles]
        self.assertEqual([bundle["hash"] for bundle in named], hashes)
        self.assertEqual([named[number]["revision"] for number in units], [vector["revision"] for vector in even])
        self.assertGreater(len(even), 10)


def is_member(unit):
    """Whether a unit can be a member's name; what others get is what `current_bundles` says."""
    return 0 < len(unit) <= 100


def fired(processor, name):
    """The revisions of the bundles by which a member's event fires."""
    event = {"event_id": "e", "event_type": "click", "timestamp": "2026-11-20T10:00:00Z", "anonymous_id": name}
    member, profile = processor.member(name), processor.profile()
    changes = processor.absorb(member, [{"event": event}])["changes"]
    firings = processor.combine(profile, changes)["firings"]
    member.close()
    profile.close()
    return [firing["bundle_revision"] for firing in firings]


def divided(core, statement, units):
    """The bundles that a statement names, and the number of each unit's own."""
    answer = core.answer(core.call("current_bundles", core.put(statement), core.put(json.dumps(units))))
    return answer["bundles"], answer["units"]
