"""A host that passes garbage gets errors, and the same instance goes on answering as a fresh one does."""

import json
import math
import random
import unittest

import shop
import wasmtime
from core import MODULE, Core, CoreError, pack
from processor import Processor, record
from statement import statement
from vectors import (
    CONDITIONS, compiled, conditions, expected_of, found_of, judged_cases, needs_binary, spec, why_no_plain_case,
)

CALLS = 5_000
NUMBERS = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, -1.0, 0.5, 1.0, 2.0, 1e300, 9e15, 1.7e12]
TEXTS = ["", "[", "{}", "[]", "null", "[{}]", "[[{},{}]]", '{"traits":1}', "traits.a", "context.a.b", "m", "\0\0", "[" * 50]
EVENT = {"event_id": "e", "event_type": "click", "timestamp": "2026-11-20T10:00:00Z", "anonymous_id": "m"}
BIG = 64 * 1024 * 1024
FUNCTIONS = [export for export in MODULE.exports if isinstance(export.type, wasmtime.FuncType)]


def plain_cases():
    """Condition vectors as cases, and what they must give."""
    vectors = [vector for _, vector in conditions() if not why_no_plain_case(vector)]
    cases = [[vector["document"], vector["condition"], vector.get("groups", {})] for vector in vectors]
    return cases, [vector["holds"] for vector in vectors]


class Garbage(unittest.TestCase):
    def setUp(self):
        self.core = Core()
        self.chance = random.Random(20_261_125)

    def assert_sound(self, bundle=None):
        """The instance answers conditions, features and, of a bundle, events as it should."""
        core = self.core
        cases, expected = plain_cases()
        self.assertEqual(core.conditions_hold(cases), expected)
        cases = judged_cases([*CONDITIONS, "50-calendar"])
        judged = core.conditions_judge([case for _, case, _ in cases])
        self.assertEqual([found_of(answer) for answer in judged], [expected_of(vector) for _, _, vector in cases])
        for vector in spec("21-bucketing"):
            self.assertEqual(core.answer(core.call("bucket_ranges", core.put(json.dumps(vector)))), vector["ranges"])
        for vector in spec("22-features"):
            handle = core.opened(core.call("growthbook_new", core.put(json.dumps(vector["payload"]))))
            core.call("growthbook_set", handle, core.put(json.dumps(vector["options"])))
            result = core.answer(core.call("growthbook_feature", handle, core.put(vector["key"])))
            self.assertEqual(result, vector["result"], vector["name"])
            core.call("growthbook_free", handle)
        if bundle:
            self.assertEqual(_answers(core, bundle), _answers(Core(), bundle))

    def test_random_arguments_to_every_export_leave_the_instance_sound(self):
        self.shower(None)

    @needs_binary
    def test_random_arguments_with_an_evaluator_at_hand_leave_the_instance_sound(self):
        self.shower(compiled(RULES))

    def shower(self, bundle):
        core, chance = self.core, self.chance
        handles = [0]
        for _ in range(CALLS):
            if bundle and chance.random() < 0.01:
                handles.append(core.call("evaluator_new", core.put(bundle)))
                handles.append(core.call("processor_new", core.put(bundle), 0.0))
            if chance.random() < 0.01:
                handles.append(core.call("growthbook_new", core.put('{"features":{"a":{"defaultValue":1}}}')))
            if chance.random() < 0.02:
                handles.append(core.call("member_open", core.put("m"), 0))
                handles.append(core.call("profile_open", 0))
            export = chance.choice(FUNCTIONS)
            arguments = [
                chance.choice(NUMBERS) if str(kind) == "f64" else self.number(handles) for kind in export.type.params
            ]
            address = core.call(export.name, *arguments)
            if export.type.results and str(export.type.results[0]) == "i32" and chance.random() < 0.9:
                core.call("buffer_free", address)
        self.assert_sound(bundle)

    def number(self, handles):
        """An address, a handle, a length or nothing of the kind."""
        kind = self.chance.randrange(6)
        if kind == 0:
            return self.chance.choice(handles)
        if kind == 1:
            return self.chance.choice([0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, BIG, BIG + 1])
        if kind == 2:
            return self.chance.getrandbits(self.chance.randrange(1, 33))
        if kind == 3:
            return self.core.scratch(self.chance.choice(TEXTS) or "x")
        try:
            data = self.chance.choice(TEXTS) if kind == 4 else self.chance.randbytes(self.chance.randrange(64))
            return self.core.put(data)
        except CoreError:
            # The shower has left 256 MiB of buffers lying about.
            return 0

    @needs_binary
    def test_a_bundle_cut_or_changed_anywhere_is_refused_or_answers(self):
        core, bundle, refused = self.core, compiled(RULES), 0
        for length in range(len(bundle)):
            self.assertEqual(core.call("evaluator_new", core.put(bundle[:length])), 0, f"{length} bytes")
            self.assertEqual(json.loads(core.take(core.call("last_error")))["error"], "bundle_truncated", f"{length} bytes")
        for _ in range(3_000):
            changed = bytearray(bundle)
            for _ in range(self.chance.randrange(1, 4)):
                changed[self.chance.randrange(len(changed))] = self.chance.getrandbits(8)
            try:
                _answers(core, bytes(changed))
            except CoreError:
                refused += 1
        print(f"bundles: {len(bundle)} cut, 3000 changed, {refused} of these refused")
        self.assertGreater(refused, 100)
        self.assert_sound(bundle)

    @needs_binary
    def test_states_cut_or_changed_anywhere_and_steps_that_do_not_fit_are_refused(self):
        core, bundle = self.core, compiled(RULES)
        processor = Processor(core, bundle)
        member, profile, other = processor.member("m"), processor.profile(), processor.profile()
        changes = processor.absorb(member, [record(EVENT)])["changes"]
        processor.combine(profile, changes)
        login = processor.absorb(member, [record(EVENT | {"event_id": "login", "user_id": "ada"})])["changes"]
        for kind, saved in (("member", member.save()), ("profile", profile.save())):
            for length in range(1, len(saved)):
                self.refuses("snapshot_truncated", lambda: self.open(processor, kind, saved[:length]))
            for place in range(len(saved)):
                changed = bytearray(saved)
                changed[place] ^= 1 << self.chance.randrange(8)
                with self.assertRaises(CoreError) as refused:
                    self.open(processor, kind, changed)
                self.assertIn("snapshot_", refused.exception.code)
        for code, ask in [
            ("snapshot_not_this", lambda: processor.profile(member.save())),
            ("member_other", lambda: processor.member("n", member.save())),
            ("member_missing", lambda: processor.member("")),
            ("state_not_profile", lambda: processor.combine(member, changes)),
            ("state_not_profile", lambda: processor.combine(profile, login, left=member)),
            ("state_not_member", lambda: processor.absorb(profile, [])),
            ("handle_unknown", lambda: processor.combine(profile, login, left=profile)),
            ("handle_unknown", lambda: core.answer(core.call("processor_profile", processor.handle, 99_999))),
            ("handle_unknown", lambda: core.answer(core.call("processor_profile", member.handle, profile.handle))),
            ("handle_unknown", lambda: core.opened(core.call("state_save", 99_999))),
            ("time_out_of_range", lambda: processor.wake(profile, float("nan"))),
            ("time_out_of_range", lambda: Processor(core, bundle, 1e300)),
            ("context_no_object", lambda: processor.decide(profile, [])),
            ("bundle_lower_revision", lambda: processor.publish(bundle, 5)),
            ("bundle_truncated", lambda: processor.publish(bundle[:40], 5)),
        ]:
            self.refuses(code, ask)
        for code, rows, left in [
            ("left_missing", login, None),
            ("profile_other", login, profile),
            ("change_unreadable", [{"change": "AAAA"}, {"change": "?"}, {"change": 7}, {"change": "A" * 1_000_000}], None),
        ]:
            into = processor.profile() if code != "profile_other" else profile
            answer = processor.combine(into, rows, left=other if left else None)
            self.assertEqual({error["code"] for error in answer["errors"]}, {code})
            self.assertEqual(answer["accepted"], 0)
        records = [7, {}, {"event": 7}, {"void": {"lane": "l", "from": 2, "to": 1}}, {"close": {}}, record(EVENT | {"anonymous_id": "n"})]
        answer = processor.absorb(member, records)
        self.assertEqual([error["index"] for error in answer["errors"]], list(range(len(records))))
        self.assert_sound(bundle)

    def open(self, processor, kind, saved):
        """Opens a state from bytes."""
        return processor.member("m", saved) if kind == "member" else processor.profile(saved)

    def refuses(self, code, ask):
        """Expects a code."""
        with self.assertRaises(CoreError) as refused:
            ask()
        self.assertEqual(refused.exception.code, code)

    def test_what_cannot_be_divided_judged_or_read_is_refused_with_a_code(self):
        core, bytes_of = self.core, statement("half", 5_000)
        many = "[" + "0," * 250_000 + "0]"
        for code, export, *given in [
            ("bundle_truncated", "current_bundles", bytes_of[:40], "[]"),
            ("bundle_truncated", "current_bundles", b"", "[]"),
            ("bundle_bad_magic", "current_bundles", b"ATNB" + bytes_of[4:], "[]"),
            ("bundle_unsupported_format", "current_bundles", b"ATNC\2" + bytes_of[5:], "[]"),
            ("bundle_bad_envelope", "current_bundles", bytes_of + b"x", "[]"),
            ("units_unreadable", "current_bundles", bytes_of, "{}"),
            ("units_unreadable", "current_bundles", bytes_of, b'["\xff"]'),
            ("units_unreadable", "current_bundles", bytes_of, many),
            ("json_ends_early", "bucket_ranges", ""),
            ("json_too_deep", "bucket_ranges", "[" * 1_000_000),
            ("division_invalid", "bucket_ranges", "{}"),
            ("division_invalid", "bucket_ranges", '{"count":1e300}'),
            ("division_invalid", "bucket_ranges", '{"count":2,"weights":["1",1]}'),
            ("conditions_unreadable", "conditions_judge", "{}"),
            ("conditions_unreadable", "conditions_judge", many),
            ("conditions_unreadable", "conditions_judge", "[" * 1_000_000),
        ]:
            self.refuses(code, lambda: core.answer(core.call(export, *map(core.put, given))))
        for _ in range(3_000):
            changed = bytearray(bytes_of[: self.chance.randrange(len(bytes_of) + 1)] if self.chance.random() < 0.3 else bytes_of)
            if changed:
                changed[self.chance.randrange(len(changed))] = self.chance.getrandbits(8)
            answer = json.loads(core.take(core.call("current_bundles", core.put(changed), core.put('["a",7]'))))
            self.assertTrue("units" in answer or answer["error"].startswith("bundle_"), answer)
        self.assert_sound()

    def test_a_case_that_cannot_be_judged_is_told_its_place_and_its_neighbours_are_judged(self):
        long, deep = "x" * 65_536, '{"$not":' * 31 + "{}" + "}" * 31
        wrong = '{"traits.%s":{%s}}' % ("~" * 20_000, ",".join(['"$a":1'] * 5_000))
        unreadable, sound = "case_unreadable", '{"condition":{},"document":{}}'
        for code, at, case in [
            (unreadable, "", "7"),
            (unreadable, "", "[]"),
            (unreadable, "/document", "{}"),
            (unreadable, "/document", '{"condition":{},"document":7}'),
            (unreadable, "/condition", '{"document":{}}'),
            (unreadable, "/condition", '{"condition":oops,"document":{}}'),
            (unreadable, "/condition", '{"condition":{"traits.a":"%s"},"document":{}}' % long),
            (unreadable, "/segments", '{"condition":{},"document":{},"segments":{"a":"%s"}}' % long),
            (unreadable, "/segments", '{"condition":{},"document":{},"segments":7}'),
            (unreadable, "/groups", '{"condition":{},"document":{},"groups":[]}'),
            (unreadable, "/document/context", '{"condition":{},"document":{"context":7}}'),
            (unreadable, "/document/now", '{"condition":{},"document":{"now":7}}'),
            (unreadable, "/document/signals/a", '{"condition":{},"document":{"signals":{"a":7}}}'),
            ("condition_too_deep", "/condition", '{"condition":%s,"document":{}}' % deep),
            ("unknown_operator", "/condition/traits." + "~0" * 20_000 + "/$a", '{"condition":%s,"document":{}}' % wrong),
        ]:
            cases = f"[{case},{sound}]"
            refused, judged = self.core.answer(self.core.call("conditions_judge", self.core.put(cases)))
            self.assertEqual((refused["error"], refused["at"]), (code, at))
            self.assertEqual(judged, {"holds": True, "wake_at": None})
        keys = {"signals": {"s": {"keys": {f"k{number}": {"value": number} for number in range(100_000)}}}}
        any_key = {"$signal": {"name": "s", "key": {"any": True}, "is": {"$lt": 0}}}
        many = [{"condition": any_key, "document": keys}]
        self.assertEqual(self.core.conditions_judge(many), [{"holds": False, "wake_at": None}])
        self.assert_sound()

    @needs_binary
    def test_a_question_that_cannot_be_answered_says_why_and_its_neighbours_are_read(self):
        processor = Processor(self.core, compiled(RULES))
        member, profile = processor.member("m"), processor.profile()
        for code, question in [
            ("question_unreadable", 7),
            ("question_unreadable", {}),
            ("signal_unknown", {"signal": "\0"}),
            ("signal_key_unexpected", {"signal": "price_cents", "key": "a"}),
            ("question_unreadable", {"signal": "price_cents", "at": "soon"}),
            ("question_unreadable", {"signal": "price_cents", "at": 7}),
            ("question_unreadable", {"signal": "price_cents", "session": ""}),
            ("question_unreadable", {"signal": "price_cents", "session": "s" * 101}),
            ("question_unreadable", {"signal": "price_cents", "time": []}),
        ]:
            refused, read = processor.read(profile, [question, {"signal": "price_cents"}])
            self.assertEqual(refused["error"], code, question)
            self.assertNotIn("error", read)
        for minutes in (1e300, -1e300, 0.5):
            question = {"signal": "price_cents", "at": "9999-12-31T23:59:59Z", "time": {"utc_offset_minutes": minutes}}
            self.assertNotIn("error", processor.read(profile, [question])[0])
        for code, ask in [
            ("questions_unreadable", lambda: processor.read(profile, {})),
            ("state_not_profile", lambda: processor.read(member, [])),
            ("handle_unknown", lambda: self.core.answer(self.core.call("processor_read", 99_999, profile.handle, 0))),
            ("handle_unknown", lambda: self.core.answer(self.core.call("processor_read", processor.handle, 99_999, 0))),
        ]:
            self.refuses(code, ask)
        self.assert_sound()

    def test_more_than_the_module_takes_is_refused(self):
        core = self.core
        self.assertEqual(core.call("buffer_new", 0), 0)
        self.assertEqual(core.call("buffer_new", BIG + 1), 0)
        self.assertEqual(core.call("scratch", BIG + 1), 0)
        buffers = [core.call("buffer_new", BIG) for _ in range(100)]
        self.assertEqual([address > 0 for address in buffers], [True] * 4 + [False] * 96)
        self.assertEqual(core.call("buffer_new", 1), 0)
        for address in buffers:
            core.call("buffer_free", address)
        for cases in ("[" + "0," * 250_000 + "0]", "{}", "[", b"\xff", ""):
            self.assertEqual(core.call("conditions_hold", core.put(cases)), 0)
            self.refuses("conditions_unreadable", lambda: core.opened(0))
            core.call("evaluator_new", 0)
        self.assert_sound()

    @needs_binary
    def test_deep_long_and_many_values_are_refused(self):
        core, bundle = self.core, compiled(RULES)
        handle = core.opened(core.call("evaluator_new", core.put(bundle)))
        deep = "traits" + ".a" * 5_000_000
        many = json.dumps({"traits": {f"t{number}": 1 for number in range(10_001)}})
        for code, ask in [
            ("path_unknown", lambda: core.call("visitor_path", handle, core.scratch(deep))),
            ("path_unknown", lambda: core.call("visitor_path", handle, core.scratch("signals.x"))),
            ("path_unknown", lambda: core.call("visitor_change_number", handle, 77, 1.0)),
            ("json_too_deep", lambda: core.call("visitor_set", handle, core.scratch("[" * 1_000_000))),
            ("packed_value_unsound", lambda: core.call("visitor_set", handle, core.scratch(b"\5\1" * 1_000_000))),
            ("packed_value_unsound", lambda: core.call("visitor_set", handle, core.scratch(b"\5\xff\xff\xff\xff\x0f"))),
            ("text_not_utf8", lambda: core.call("visitor_set", handle, core.scratch(b'"\xff"'))),
            ("attributes_no_object", lambda: core.call("visitor_set", handle, core.scratch("[1]"))),
            ("attributes_no_object", lambda: core.call("visitor_set", handle, core.scratch("7"))),
            ("attributes_no_object", lambda: core.call("visitor_set", handle, core.scratch('{"traits":1}'))),
            ("attributes_no_object", lambda: core.call("visitor_set", handle, core.scratch(pack({"context": []})))),
            ("anonymous_id_invalid", lambda: core.call("visitor_identify", handle, 0)),
            ("anonymous_id_invalid", lambda: core.call("visitor_identify", handle, core.scratch(b"\xff"))),
            ("time_out_of_range", lambda: core.call("visitor_time", handle, math.nan)),
            ("time_out_of_range", lambda: core.call("visitor_time", handle, 1e300)),
            ("attributes_too_many", lambda: core.call("visitor_set", handle, core.scratch(many))),
            ("scratch_too_short", lambda: core.call("visitor_set", handle, 0xFFFFFFFF)),
            ("handle_unknown", lambda: core.call("visitor_set", 12_345, core.scratch("{}"))),
        ]:
            with self.assertRaises(CoreError) as refused:
                core.opened(ask())
            self.assertEqual(refused.exception.code, code)
        for text in ["[" + "0," * 250_000 + "0]", "[" * 1_000_000, '"' * 999, "\ufeff[]"]:
            answer = core.answer(core.call("evaluator_absorb", handle, core.put(text)))
            self.assertEqual(answer["errors"][0]["code"], "events_unreadable")
        events = [EVENT | {"timestamp": at} for at in ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z")]
        events += [EVENT | {"metadata": {"a": "x" * 40_000}}, EVENT | {"event_id": ""}, 7]
        answer = core.answer(core.call("evaluator_absorb", handle, core.put(json.dumps(events))))
        self.assertEqual(answer["accepted"] + answer["duplicates"] + len(answer["errors"]), len(events))
        for number in NUMBERS:
            core.call("visitor_time", handle, number)
        for code, follower, at in [
            ("bundle_lower_revision", bundle, 5.0),
            ("bundle_truncated", bundle[:40], 5.0),
            ("bundle_bad_magic", b"x" * 300, 5.0),
            ("time_out_of_range", bundle, float("nan")),
        ]:
            with self.assertRaises(CoreError) as refused:
                core.answer(core.call("evaluator_publish", handle, core.put(follower), at))
            self.assertEqual(refused.exception.code, code)
        self.assertTrue(math.isnan(core.call("visitor_wake", 0)))
        for export, *arguments in [
            ("evaluator_absorb", 0),
            ("evaluator_publish", 0, 0.0),
            ("evaluator_decisions", 0),
            ("visitor_decision", 0),
            ("visitor_explain", 0),
            ("visitor_preview", 0),
            ("visitor_assignments",),
            ("visitor_exposures",),
        ]:
            with self.assertRaises(CoreError) as refused:
                core.answer(core.call(export, 0, *arguments))
            self.assertEqual(refused.exception.code, "handle_unknown")
        self.assert_sound(bundle)


RULES = shop.RULES | {
    "rules": [
        {"id": "pro", "slot": "hero", "when": {"traits.plan": {"$in": ["pro", "team"]}, "context.n": {"$gt": 2}},
         "actions": [{"kind": "variable", "name": "v", "value": "{{traits.plan}}"}]},
        {"id": "seen", "slot": "hero", "priority": 1, "when": {"signals.price_cents": {"$gte": 5}}, "actions": []},
    ]
}


def _answers(core, bundle):
    """What a bundle answers to a visitor's attributes and events."""
    handle = core.opened(core.call("evaluator_new", core.put(bundle)))
    answers = [core.answer(core.call("evaluator_names", handle))]
    core.call("visitor_name", handle, core.put("m"))
    core.call("visitor_set", handle, core.scratch(pack({"traits": {"plan": "pro"}, "context": {"n": 3}})))
    path = core.call("visitor_path", handle, core.scratch("context.n"))
    for number in (1.0, 5.0):
        answers.append(core.call("visitor_change_number", handle, path, number))
        answers.append(core.answer(core.call("visitor_decision", handle, 0)))
    click = {"metadata": {"category": "1", "price_cents": 300}, "session_id": "s"}
    events = [EVENT | click | {"event_id": f"e{number}"} for number in range(4)]
    answers.append(core.answer(core.call("evaluator_absorb", handle, core.put(json.dumps(events)))))
    answers.append(core.answer(core.call("evaluator_decisions", handle, core.put("m"))))
    for rule in ("pro", "seen", "third-click", "none"):
        answers.append(json.loads(core.take(core.call("visitor_explain", handle, core.put(rule)))))
    answers.append(core.answer(core.call("evaluator_summary", handle)))
    core.call("evaluator_free", handle)
    return answers + _steps(core, bundle)


def _steps(core, bundle):
    """What a bundle answers to a member and its profile, closed and opened anew between two records."""
    processor, saved, answers = Processor(core, bundle), (b"", b""), []
    click = {"metadata": {"category": "1", "price_cents": 300}, "session_id": "s"}
    for number in range(4):
        member, profile = processor.member("m", saved[0]), processor.profile(saved[1])
        absorbed = processor.absorb(member, [record(EVENT | click | {"event_id": f"e{number}"})])
        answers += [absorbed, processor.combine(profile, absorbed["changes"]), processor.view(profile)]
        answers.append(processor.decide(profile, {"n": 3}))
        saved = (member.close(), profile.close())
    processor.free()
    return answers
