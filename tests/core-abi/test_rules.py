"""The rule and score vectors: a script of events over simulated time, decided for a visitor."""

import collections
import datetime
import unittest

from core import Core, Visitor
from vectors import compiled, needs_binary, spec

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
START = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.timezone.utc)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)

FOREIGN = {
    "granted": "consent is the page's",
    "publish": "another bundle under a visitor",
    "reload": "a page that is loaded anew",
    "exposed": "exposures are the page's",
}
"""Parts of scripts that the byte interface does not carry."""


def why_not(vector):
    """Why a script cannot be run through the byte interface; None where it can."""
    for step in vector["steps"]:
        for part, reason in FOREIGN.items():
            if part in step:
                return reason
        if "session" in step and "track" not in step:
            return "a session without an event"
    if any("cap" in rule and rule.get("slot") for rule in vector["rules"].get("rules", [])):
        return "counts what a page has shown"
    if any("cap" in trigger for trigger in vector["rules"].get("triggers", [])):
        return "judges a trigger without its cap"
    return None


class Script:
    """A visitor driven by a vector's steps."""

    def __init__(self, core, rules):
        self.core = core
        self.handle = core.opened(core.call("evaluator_new", core.put(compiled(rules))))
        self.visitor = Visitor(core, self.handle, "m")
        self.member, self.now, self.session, self.events, self.fired = "m", START, "first", 0, []
        self.context = {}

    def step(self, step):
        """Carries one step out and returns the decisions by slot."""
        if "after" in step:
            self.now += _duration(step["after"])
        if "at" in step:
            self.now = datetime.datetime.fromisoformat(step["at"].replace("Z", "+00:00"))
        self.session = step.get("session", self.session)
        if step.get("member", self.member) != self.member:
            self.member = step["member"]
            self.visitor = Visitor(self.core, self.handle, self.member)
        self.context = step.get("context", self.context)
        self.visitor.at((self.now - EPOCH) // MILLISECOND)
        self.visitor.set({"context": self.context})
        if "track" in step:
            self._track(step["track"], step.get("metadata", {}))
        return {slot: decision for slot, decision in self.visitor.current.items() if decision}

    def _track(self, event_type, metadata):
        self.events += 1
        event = {
            "event_id": f"event-{self.events}",
            "event_type": event_type,
            "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "anonymous_id": self.member,
            "session_id": self.session,
            "metadata": metadata,
        }
        answer = self.visitor.absorb([event])
        if answer["errors"]:
            raise AssertionError(answer["errors"])
        self.fired += [_keyed(firing) for firing in answer["firings"]]


def _keyed(named):
    return named["rule"] + (f":{named['key']}" if named["key"] is not None else "")


def _duration(text):
    digits = text.rstrip("msdh")
    return int(digits) * UNITS_MS[text[len(digits):]] * MILLISECOND


class Rules(unittest.TestCase):
    @needs_binary
    def test_every_rule_vector_that_needs_no_page_gives_its_decisions(self):
        self.run_scripts("70-rules", 20)

    @needs_binary
    def test_every_score_vector_gives_its_decisions(self):
        self.run_scripts("30-scores", 50)

    def run_scripts(self, file, least):
        vectors = spec(file)
        core, ran, left_out = Core(), 0, collections.Counter()
        for vector in vectors:
            reason = why_not(vector)
            if reason:
                left_out[reason] += 1
                continue
            ran += 1
            script = Script(core, vector["rules"])
            for place, step in enumerate(vector["steps"], 1):
                decided = script.step(step)
                title = f"{file} {vector['number']}: {vector['name']}, step {place}"
                for slot, holder in step.get("holds", {}).items():
                    found = _keyed(decided[slot]) if slot in decided else None
                    self.assertEqual(found, holder, f"{title}: {slot}")
                if "fired" in step:
                    self.assertEqual(script.fired, step["fired"], title)
                    script.fired = []
                for name, value in step.get("variables", {}).items():
                    actions = [action for decision in decided.values() for action in decision["actions"]]
                    found = [action["value"] for action in actions if action.get("name") == name]
                    self.assertEqual(found[:1], [value] if value is not None else [], title)
            core.call("evaluator_free", script.handle)
        print(f"{file}: {ran} of {len(vectors)} scripts run; not: {dict(left_out)}")
        self.assertGreaterEqual(ran, least)
