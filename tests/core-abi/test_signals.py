"""The signal vectors: each reading of a profile's state, and as the condition of a rule, at its instant."""

import collections
import json
import unittest
import uuid

from core import Core, Visitor
from processor import Processor, record
from vectors import compiled, ms, needs_binary, spec


class Signals(unittest.TestCase):
    @needs_binary
    def test_every_signal_vector_gives_its_readings(self):
        core, vectors, seen = Core(), spec("40-signals"), collections.Counter()
        for vector in vectors:
            processor = Processor(core, compiled({"signals": vector["signals"]}))
            profile = combined(processor, [event(told, place) for place, told in enumerate(vector["events"])])
            answers = processor.read(profile, [question(vector, read) for read in vector["reads"]])
            for place, (read, answer) in enumerate(zip(vector["reads"], answers, strict=True), 1):
                with self.subTest(f"{vector['number']}: {vector['name']}, read {place}"):
                    self.assertEqual(reading(answer, read), reading(read, read))
                    seen.update(read.keys() & {"value", "missing", "truncated"})
            profile.close()
            processor.free()
        total = sum(len(vector["reads"]) for vector in vectors)
        print(f"40-signals: {len(vectors)} vectors, {total} readings of a state: {json.dumps(seen)}")
        self.assertEqual(seen.total(), total)

    @needs_binary
    def test_a_rule_holds_by_the_readings_of_a_visitor_at_its_latest_time(self):
        core, vectors, seen, left_out = Core(), spec("40-signals"), collections.Counter(), collections.Counter()
        for vector in vectors:
            for place, read in enumerate(vector["reads"], 1):
                reason = why_not(vector, read)
                if reason:
                    left_out[reason] += 1
                    continue
                with self.subTest(f"{vector['number']}: {vector['name']}, read {place}"):
                    self.read(core, vector, read, seen)
        print(f"40-signals: as rules: {json.dumps(seen)}; behind the visitor's time or session: {json.dumps(left_out)}")
        self.assertEqual(left_out, {PAST: 4, NO_SESSION: 1})

    def read(self, core, vector, read, seen):
        """Takes the events in and compares one reading, and until when it holds."""
        handle = core.opened(core.call("evaluator_new", core.put(compiled(rules(vector, read)))))
        events = [event(told, place) for place, told in enumerate(vector["events"])]
        visitor = Visitor(core, handle, events[-1]["anonymous_id"] if events else "a")
        visitor.set({"context": {"time": clocks(vector, read)}})
        visitor.in_session(read.get("session", ""))
        self.assertEqual(visitor.absorb(events)["errors"], [])
        visitor.at(ms(read["at"]))
        self.assertEqual(visitor.current.get("s") is not None, "truncated" not in read, "another reading")
        seen.update(read.keys() & {"value", "missing", "truncated"})
        if "until" in read:
            self.assertEqual(visitor.wake_at(), read["until"] and ms(read["until"]))
            seen["until"] += 1
        core.call("evaluator_free", handle)


PAST = "reads what was before the latest event"
NO_SESSION = "reads no session after events had one"


def why_not(vector, read):
    """Why a reading is none of a visitor, who is never behind its latest event; None where it is one."""
    if any(ms(event["at"]) > ms(read["at"]) for event in vector["events"]):
        return PAST
    if "session" not in read and any("session" in event for event in vector["events"]):
        return NO_SESSION
    return None


def combined(processor, events):
    """The state of the profile that the members of events have together."""
    profile, members = processor.profile(), {}
    for event in events:
        name = event["anonymous_id"]
        member = members.setdefault(name, processor.member(name))
        absorbed = processor.absorb(member, [record(event) | {"received_at": RECEIVED}])
        answer = processor.combine(profile, absorbed["changes"], left=processor.profile())
        if absorbed["errors"] or answer["errors"]:
            raise AssertionError(f"{absorbed['errors']} {answer['errors']}")
    return profile


RECEIVED = "2100-01-01T00:00:00Z"
"""Later than any event of a vector."""


def question(vector, read):
    """A reading as `processor_read` is asked for it."""
    asked = {"signal": read.get("signal", "s"), "at": read["at"], "session": read.get("session")}
    zone = clocks(vector, read)
    return asked | ({"key": read["key"]} if "key" in read else {}) | ({"time": zone} if zone else {})


def reading(answer, read):
    """A reading, with its `until` in milliseconds where the vector tells one."""
    found = {field: answer[field] for field in ("value", "missing", "truncated") if field in answer}
    if "value" in read and "until" in read:
        found["until"] = answer["until"] and ms(answer["until"])
    return found


def rules(vector, read):
    """The signals, and a rule that holds where one reads as it must; of one that is truncated nothing holds."""
    signal = {"name": read.get("signal", "s")} | ({"key": read["key"]} if "key" in read else {})
    if "value" in read:
        tests = [{"$eq": read["value"]}]
    else:
        tests = [{"$exists": False}] + ([{"$exists": True}] if "truncated" in read else [])
    when = {"$or": [{"$signal": signal | {"is": test}} for test in tests]}
    rule = {"id": "r", "slot": "s", "when": when, "actions": []}
    return {"signals": vector["signals"], "rules": [rule]}


def event(told, place):
    """An event of a vector; all members are one user's."""
    return {
        "event_id": str(uuid.UUID(int=told.get("id", place + 1_000))),
        "event_type": told["type"],
        "timestamp": told["at"],
        "anonymous_id": told.get("member", "a"),
        "user_id": "u",
        "metadata": told.get("metadata", {}),
        **({"session_id": told["session"]} if "session" in told else {}),
    }


def clocks(vector, read):
    """The visitor's clocks around a reading: the latest change that has come, with what was before."""
    changes = [change for change in vector.get("zone", []) if ms(change[0]) <= ms(read["at"])]
    if not changes:
        return {}
    if len(changes) == 1:
        return {"utc_offset_minutes": changes[0][1]}
    (_, before), (at, after) = changes[-2:]
    return {"utc_offset_minutes": before, "changes_at": at, "next_utc_offset_minutes": after}
