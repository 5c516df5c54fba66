"""The signal vectors: each reading as the condition of a rule, at its instant."""

import collections
import datetime
import json
import unittest
import uuid

from core import Core, Visitor
from vectors import compiled, needs_binary, spec


class Signals(unittest.TestCase):
    @needs_binary
    def test_every_signal_vector_gives_its_readings(self):
        core, vectors, seen, left_out = Core(), spec("40-signals"), collections.Counter(), collections.Counter()
        for vector in vectors:
            for place, read in enumerate(vector["reads"], 1):
                reason = why_not(vector, read)
                if reason:
                    left_out[reason] += 1
                    continue
                with self.subTest(f"{vector['number']}: {vector['name']}, read {place}"):
                    self.read(core, vector, read, seen)
        print(f"40-signals: {len(vectors)} vectors, compared: {json.dumps(seen)}; not: {json.dumps(left_out)}")
        self.assertEqual(left_out, {PAST: 4, NO_SESSION: 1})

    def read(self, core, vector, read, seen):
        """Takes the events in and compares one reading, and until when it holds."""
        handle = core.opened(core.call("evaluator_new", core.put(compiled(rules(vector, read)))))
        events = [event(told, place) for place, told in enumerate(vector["events"])]
        visitor = Visitor(core, handle, events[-1]["anonymous_id"] if events else "a")
        visitor.set({"context": {"time": clocks(vector, read)}})
        visitor.in_session(read.get("session", ""))
        self.assertEqual(visitor.absorb(events)["errors"], [])
        visitor.at(_ms(read["at"]))
        self.assertEqual(visitor.current.get("s") is not None, "truncated" not in read, "another reading")
        seen.update(read.keys() & {"value", "missing", "truncated"})
        if "until" in read:
            self.assertEqual(visitor.wake_at(), read["until"] and _ms(read["until"]))
            seen["until"] += 1
        core.call("evaluator_free", handle)


PAST = "reads what was before the latest event"
NO_SESSION = "reads no session after events had one"


def why_not(vector, read):
    """Why a reading cannot be asked for; None where it can."""
    if any(_ms(event["at"]) > _ms(read["at"]) for event in vector["events"]):
        return PAST
    if "session" not in read and any("session" in event for event in vector["events"]):
        return NO_SESSION
    return None


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
    changes = [change for change in vector.get("zone", []) if _ms(change[0]) <= _ms(read["at"])]
    if not changes:
        return {}
    if len(changes) == 1:
        return {"utc_offset_minutes": changes[0][1]}
    (_, before), (at, after) = changes[-2:]
    return {"utc_offset_minutes": before, "changes_at": at, "next_utc_offset_minutes": after}


def _ms(text):
    """An instant in milliseconds since 1970."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(at.timestamp() * 1_000)
