"""The rule and score vectors: a script of events over simulated time, decided for a visitor."""

import collections
import datetime
import json
import unittest
import uuid

from core import Core, Visitor
from processor import Processor, record
from vectors import compiled, needs_binary, spec

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
START = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.timezone.utc)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)
NOBODYS = "nobody.reads.this"
"""The type of an event that tells a session, or that somebody is there, and nothing else."""


def why_not(vector):
    """Why a script cannot be run through the byte interface; None where it can."""
    steps = vector["steps"]
    if any("granted" in step for step in steps):
        return "the byte interface carries no consent"
    if any("session" in step and "track" not in step for step in steps) and _reads_everything(vector["rules"]):
        return "a session without an event, where every event counts"
    return None


def _reads_everything(rules):
    """Whether an event of any type has an effect."""
    judged = [*rules.get("rules", []), *rules.get("triggers", [])]
    nameless = any("on" not in rule and "event." in json.dumps(rule) for rule in judged)
    return nameless or '"*"' in json.dumps(rules)


class Script:
    """A visitor driven by a vector's steps, with a server beside that fires triggers."""

    def __init__(self, core, vector):
        self.core, self.rules = core, vector["rules"]
        bundle = compiled(self.rules, with_errors="diagnostics" in vector)
        self.member = vector["steps"][0].get("member", "m")
        publishes = any("publish" in step for step in vector["steps"])
        self.page = (Rendered if publishes else Page)(core, bundle, self.member)
        self.server = Server(core, bundle)
        self.now, self.session, self.events, self.revision = START, "first", 0, 1
        self.context = {}

    def step(self, step):
        """Carries one step out and returns what fired; the page's decisions follow."""
        self.server.fired = []
        if "after" in step:
            self.now += _duration(step["after"])
        if "at" in step:
            self.now = datetime.datetime.fromisoformat(step["at"].replace("Z", "+00:00"))
        self.server.at(self.ms())
        if self.events == 0 and not _reads_everything(self.rules):
            self.track(NOBODYS, {})
        if "publish" in step:
            self.rules, self.revision = step["publish"], self.revision + 1
            bundle = compiled(self.rules, self.revision)
            self.server.processor.publish(bundle, self.ms())
            self.page.publish(bundle, self.ms())
        if step.get("member", self.member) != self.member:
            self.member = step["member"]
            self.page.begin(self.member)
        if "reload" in step:
            self.page.begin(self.member)
        if "session" in step:
            self.session = step["session"]
            if "track" not in step:
                self.track(NOBODYS, {})
        self.context = step.get("context", self.context)
        self.page.look(self.ms(), self.context)
        if "track" in step:
            self.track(step["track"], step.get("metadata", {}))
        self.show()
        return self.server.fired

    def track(self, event_type, metadata):
        """Hands an event to page and server."""
        self.events += 1
        event = {
            # Of events of one instant the one with the smaller id is the earlier.
            "event_id": str(uuid.UUID(int=self.events)),
            "event_type": event_type,
            "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "anonymous_id": self.member,
            "session_id": self.session,
            "metadata": metadata,
        }
        self.page.absorb(event)
        self.server.absorb(event)

    def show(self):
        """Tracks what is newly shown under a cap, as a page does, until nothing is."""
        capped = {rule["id"] for rule in self.rules.get("rules", []) if "cap" in rule}
        while shown := [decision for decision in self.page.newly_held() if decision["rule"] in capped]:
            for decision in shown:
                self.track("attune.shown", {"rule": decision["rule"], "key": decision["key"] or ""})

    def ms(self):
        """The time in milliseconds since 1970."""
        return (self.now - EPOCH) // MILLISECOND

    def close(self):
        """Frees what the script holds in the core."""
        self.page.close()
        self.server.processor.free()


class Page:
    """Decisions by an evaluator, for its one visitor."""

    explains = True

    def __init__(self, core, bundle, member):
        self.core, self.handle = core, core.opened(core.call("evaluator_new", core.put(bundle)))
        self.begin(member)

    def begin(self, member):
        """Loads the page anew: what has latched stays, what was shown does not."""
        self.visitor, self.held = Visitor(self.core, self.handle, member), {}

    def look(self, ms, context):
        """Decides at an instant in a context."""
        self.visitor.set({"context": context})
        self.visitor.at(ms)

    def absorb(self, event):
        """Takes an event in."""
        answer = self.visitor.absorb([event])
        if answer["errors"]:
            raise AssertionError(answer["errors"])

    def decided(self):
        """The decisions in effect, by slot."""
        return {slot: decision for slot, decision in self.visitor.current.items() if decision}

    def newly_held(self):
        """The decisions whose rule or key was not there when this was last asked."""
        before, self.held = self.held, {slot: _keyed(decision) for slot, decision in self.decided().items()}
        return [decision for slot, decision in self.decided().items() if before.get(slot) != self.held[slot]]

    def reason(self, rule):
        """Why a rule holds or not."""
        told = self.core.answer(self.core.call("visitor_explain", self.handle, self.core.put(rule)))
        return told["reason"] + (f":{told['why']}" if "why" in told else "")

    def close(self):
        """Frees the evaluator."""
        self.core.call("evaluator_free", self.handle)


class Rendered(Page):
    """Decisions by a processor over one member's profile, which follows bundles that are published."""

    explains = False

    def __init__(self, core, bundle, member):
        self.processor, self.opened = Processor(core, bundle), None
        self.begin(member)

    def begin(self, member):
        """Opens what was kept of the profile, whose slots have been decided nowhere yet."""
        if self.opened is None:
            self.member, self.opened = self.processor.member(member), self.processor.profile()
            self.name = member
        elif self.name != member:
            raise AssertionError("a vector that publishes has one member")
        else:
            self.opened = self.processor.profile(self.opened.close())
        self.current, self.held, self.context = {}, {}, {}

    def publish(self, bundle, ms):
        """Puts another bundle into effect."""
        self.processor.publish(bundle, ms)

    def look(self, ms, context):
        """Decides at an instant in a context."""
        self.context = context
        self.processor.wake(self.opened, ms)
        self.decide()

    def absorb(self, event):
        """Takes an event in."""
        changes = self.processor.absorb(self.member, [record(event)])["changes"]
        self.processor.combine(self.opened, changes)
        self.decide()

    def decide(self):
        """Brings the decisions up to date."""
        for decision in self.processor.decide(self.opened, self.context)["decisions"]:
            self.current[decision["slot"]] = decision if decision["rule"] is not None else None

    def decided(self):
        """The decisions in effect, by slot."""
        return {slot: decision for slot, decision in self.current.items() if decision}

    def close(self):
        """Frees the processor and closes what it had open."""
        self.member.close()
        self.opened.close()
        self.processor.free()


class Server:
    """A processor with the states of everybody."""

    def __init__(self, core, bundle):
        self.processor, self.states, self.fired = Processor(core, bundle), {}, []

    def at(self, ms):
        """Lets time pass for everybody who is known."""
        for _, profile in self.states.values():
            self.fired += self.processor.wake(profile, ms)["firings"]

    def absorb(self, event):
        """Takes an event in."""
        name = event["anonymous_id"]
        if name not in self.states:
            self.states[name] = (self.processor.member(name), self.processor.profile())
        member, profile = self.states[name]
        answer = self.processor.combine(profile, self.processor.absorb(member, [record(event)])["changes"])
        if answer["errors"]:
            raise AssertionError(answer["errors"])
        self.fired += answer["firings"]


def _keyed(named):
    return named["rule"] + (f":{named['key']}" if named["key"] is not None else "")


def _duration(text):
    digits = text.rstrip("msdh")
    return int(digits) * UNITS_MS[text[len(digits):]] * MILLISECOND


class Rules(unittest.TestCase):
    @needs_binary
    def test_every_rule_vector_that_needs_no_consent_gives_its_decisions(self):
        self.run_scripts("70-rules", 180)

    @needs_binary
    def test_every_score_vector_gives_its_decisions(self):
        self.run_scripts("30-scores", 60)

    def run_scripts(self, file, least):
        core, vectors, ran, left_out, unseen = Core(), spec(file), 0, collections.Counter(), 0
        for vector in vectors:
            reason = why_not(vector)
            if reason:
                left_out[reason] += 1
                continue
            ran += 1
            unseen += any("exposed" in step for step in vector["steps"])
            with self.subTest(f"{file} {vector['number']}: {vector['name']}"):
                self.run_script(Script(core, vector), vector["steps"])
        print(f"{file}: {ran} of {len(vectors)} scripts run, {unseen} of them without their exposures; not: {dict(left_out)}")
        self.assertGreaterEqual(ran, least)

    def run_script(self, script, steps):
        fired = []
        for place, step in enumerate(steps, 1):
            fired += script.step(step)
            decided = script.page.decided()
            for slot, holder in step.get("holds", {}).items():
                found = _keyed(decided[slot]) if slot in decided else None
                self.assertEqual(found, holder, f"step {place}: {slot}")
            for slot, actions in step.get("actions", {}).items():
                found = decided[slot]["actions"] if slot in decided else None
                self.assertEqual(found, actions, f"step {place}: {slot}")
            for name, value in step.get("variables", {}).items():
                actions = [action for decision in decided.values() for action in decision["actions"]]
                found = [action["value"] for action in actions if action.get("name") == name]
                self.assertEqual(found[:1] or [None], [value], f"step {place}: {name}")
            for rule, reason in step.get("reasons", {}).items() if script.page.explains else ():
                self.assertEqual(script.page.reason(rule), reason, f"step {place}: {rule}")
            if "fired" in step:
                self.assertEqual([_keyed(firing) for firing in fired], step["fired"], f"step {place}")
                if "calls" in step:
                    self.assertEqual([firing["actions"] for firing in fired], step["calls"], f"step {place}")
                fired = []
        script.close()
