"""The rule, score and sticky vectors: a script of events over simulated time, decided for a visitor."""

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
"""The type of an event that tells who the user is and nothing else."""
PURPOSES = {"functional": 1, "analytics": 2, "personalization": 4}
"""The bits of purposes that visitors agree to."""


class Script:
    """A visitor driven by a vector's steps, with a server beside that fires triggers."""

    def __init__(self, core, vector):
        self.core, self.rules = core, vector["rules"]
        bundle = compiled(self.rules, with_errors="diagnostics" in vector)
        self.member, self.user = vector["steps"][0].get("member", "m"), None
        self.page, self.server = Page(core, bundle, self.member), Server(core, bundle)
        self.now, self.events, self.revision = START, 0, 1
        self.session, self.granted, self.context = "first", list(PURPOSES), {}
        self.exposed, self.rendered = [], {}

    def step(self, step):
        """Carries one step out and returns what fired; the page's decisions follow."""
        self.server.fired = []
        if "after" in step:
            self.now += _duration(step["after"])
        if "at" in step:
            self.now = datetime.datetime.fromisoformat(step["at"].replace("Z", "+00:00"))
        self.server.at(self.ms())
        if "publish" in step:
            self.publish(step["publish"])
        if "reload" in step or step.get("member", self.member) != self.member:
            self.member = step.get("member", self.member)
            self.page.begin(self.member)
        self.session = step.get("session", self.session)
        self.granted = step.get("granted", self.granted)
        self.context = step.get("context", self.context)
        self.page.look(self.ms(), self.session, self.granted, self.context)
        self.user = step.get("user", self.user)
        if "track" in step:
            self.track(step["track"], step.get("metadata", {}))
        elif "user" in step:
            self.track(NOBODYS, {})
        self.tell()
        return self.server.fired

    def publish(self, rules):
        """Puts another rule file into effect, in the page and on the server."""
        self.rules, self.revision = rules, self.revision + 1
        bundle = compiled(rules, self.revision)
        self.server.processor.publish(bundle, self.ms())
        self.page.publish(bundle, self.ms())

    def track(self, event_type, metadata, event_id=None):
        """Hands an event to page and server."""
        self.events += 1
        event = {
            # Of events of one instant the one with the smaller id is the earlier.
            "event_id": event_id or str(uuid.UUID(int=self.events)),
            "event_type": event_type,
            "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "anonymous_id": self.member,
            "session_id": self.session,
            "metadata": metadata,
        }
        if self.user is not None:
            event["user_id"] = self.user
        self.page.absorb(event)
        self.server.absorb(event)

    def tell(self):
        """Tracks exposures and what is newly shown under a cap, as a page does, until there are none."""
        capped = {rule["id"] for rule in self.rules.get("rules", []) if "cap" in rule}
        while True:
            exposures = self.page.visitor.exposures()
            shown = [decision for decision in self.page.newly_held() if decision["rule"] in capped]
            if not exposures and not shown:
                return
            for exposure in exposures:
                event_id = exposure.pop("event_id")
                self.exposed.append(f"{exposure['experiment']}:{exposure['variation']}")
                self.track("attune.exposure", exposure, event_id)
            for decision in shown:
                self.track("attune.shown", {"rule": decision["rule"], "key": decision["key"] or ""})

    def ms(self):
        """The time in milliseconds since 1970."""
        return (self.now - EPOCH) // MILLISECOND

    def render(self):
        """Decides on the server as well, for the page that it renders; who has no events there is shown nothing."""
        for decision in self.server.decide(self.member, self.context):
            self.rendered[decision["slot"]] = _keyed(decision) if decision["rule"] else None

    def wake_after(self):
        """How long until time alone can change a decision, in milliseconds; None where it never does."""
        at = self.page.visitor.wake_at()
        return None if at is None else at - self.ms()

    def close(self):
        """Frees what the script holds in the core."""
        self.page.close()
        self.server.close()


class Page:
    """Decisions by an evaluator, for its one visitor."""

    def __init__(self, core, bundle, member):
        self.core, self.handle = core, core.opened(core.call("evaluator_new", core.put(bundle)))
        self.begin(member)

    def begin(self, member):
        """Loads the page anew: what has latched stays, what was shown does not."""
        self.visitor, self.held = Visitor(self.core, self.handle, member), {}

    def publish(self, bundle, ms):
        """Puts another bundle into effect."""
        core = self.core
        answer = core.answer(core.call("evaluator_publish", self.handle, core.put(bundle), float(ms)))
        if answer["errors"]:
            raise AssertionError(answer["errors"])
        self.visitor.renewed()

    def look(self, ms, session, granted, context):
        """Decides at an instant, of what is said about the visitor."""
        self.visitor.set({"context": context})
        self.visitor.in_session(session)
        self.visitor.grant(sum(PURPOSES[purpose] for purpose in granted))
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

    def holder(self, slot):
        """Who holds a slot."""
        decision = self.decided().get(slot)
        return decision and _keyed(decision)

    def actions(self, slot):
        """What a slot's rule does to the page."""
        decision = self.decided().get(slot)
        return decision and decision["actions"]

    def variable(self, name):
        """The value that the decisions give a variable."""
        actions = (action for decision in self.decided().values() for action in decision["actions"])
        return next((action["value"] for action in actions if action.get("name") == name), None)

    def reason(self, rule):
        """Why a rule holds or not."""
        told = self.core.answer(self.core.call("visitor_explain", self.handle, self.core.put(rule)))
        return told["reason"] + (f":{told['why']}" if "why" in told else "")

    def origin(self, experiment):
        """What has given an experiment's variation, or kept the visitor out; None of one that does not exist."""
        told = self.core.answer(self.core.call("visitor_assignments", self.handle))
        return next((one["origin"] for one in told if one["experiment"] == experiment), None)

    def close(self):
        """Frees the evaluator."""
        self.core.call("evaluator_free", self.handle)


class Server:
    """A processor with the states of everybody."""

    def __init__(self, core, bundle):
        self.processor, self.fired = Processor(core, bundle), []
        self.members, self.profiles, self.belongs = {}, {}, {}

    def at(self, ms):
        """Lets time pass for everybody who is known."""
        for profile in self.profiles.values():
            self.fired += self.processor.wake(profile, ms)["firings"]

    def absorb(self, event):
        """Takes an event in."""
        name = event["anonymous_id"]
        if name not in self.members:
            self.members[name] = self.processor.member(name)
        for change in self.processor.absorb(self.members[name], [record(event)])["changes"]:
            left = self.profile(change["moved_from"]) if change["moved_from"] else None
            answer = self.processor.combine(self.profile(change["profile"]), [change], left)
            if answer["errors"]:
                raise AssertionError(answer["errors"])
            self.fired += answer["firings"]
            self.belongs[name] = change["profile"]

    def decide(self, member, context):
        """The slots of a member that differ in a context; none of a member without events."""
        if member not in self.belongs:
            return []
        return self.processor.decide(self.profile(self.belongs[member]), context)["decisions"]

    def profile(self, name):
        """A profile's state, which is an empty one at first."""
        if name not in self.profiles:
            self.profiles[name] = self.processor.profile()
        return self.profiles[name]

    def close(self):
        """Frees the processor and closes what it had open."""
        for state in [*self.members.values(), *self.profiles.values()]:
            state.close()
        self.processor.free()


def _keyed(named):
    return named["rule"] + (f":{named['key']}" if named["key"] is not None else "")


def _duration(text):
    digits = text.rstrip("msdh")
    return int(digits) * UNITS_MS[text[len(digits):]] * MILLISECOND


class Rules(unittest.TestCase):
    @needs_binary
    def test_every_rule_vector_gives_its_decisions(self):
        self.run_scripts("70-rules", 190)

    @needs_binary
    def test_every_score_vector_gives_its_decisions(self):
        self.run_scripts("30-scores", 60)

    @needs_binary
    def test_every_sticky_vector_gives_its_decisions(self):
        self.run_scripts("24-sticky", 34)

    @needs_binary
    def test_a_server_that_renders_pages_decides_every_sticky_vector_alike(self):
        core, held = Core(), 0
        for vector in spec("24-sticky"):
            script = Script(core, vector)
            for place, step in enumerate(vector["steps"], 1):
                script.step(step)
                script.render()
                for slot, holder in step.get("holds", {}).items():
                    found = script.rendered.get(slot)
                    self.assertEqual(found, holder, f"{vector['number']} {vector['name']}, step {place}: {slot}")
                    held += found is not None
            script.close()
        print(f"24-sticky: {held} slots rendered")
        self.assertGreaterEqual(held, 55)

    def run_scripts(self, file, least):
        core, vectors, seen = Core(), spec(file), collections.Counter()
        for vector in vectors:
            with self.subTest(f"{file} {vector['number']}: {vector['name']}"):
                self.run_script(Script(core, vector), vector["steps"], seen)
        print(f"{file}: {len(vectors)} vectors run whole, compared: {json.dumps(seen)}")
        self.assertGreaterEqual(len(vectors), least)

    def run_script(self, script, steps, seen):
        """Runs a script and compares all that its steps expect; `seen` counts what was compared, by field."""
        page, fired = script.page, []
        for place, step in enumerate(steps, 1):
            self.assertLessEqual(step.keys(), SAYS | LOOKS.keys() | TELLS, "a field that this host does not know")
            fired += script.step(step)

            def same(field, found, expected, subject=""):
                seen[field] += 1
                self.assertEqual(found, expected, f"step {place}: {field} {subject}")

            for field, look in LOOKS.items():
                for subject, expected in step.get(field, {}).items():
                    same(field, look(page, subject), expected, subject)
            if "fired" in step:
                same("fired", [_keyed(firing) for firing in fired], step["fired"])
                if "calls" in step:
                    same("calls", [firing["actions"] for firing in fired], step["calls"])
                fired = []
            if "exposed" in step:
                same("exposed", script.exposed, step["exposed"])
                script.exposed = []
            if "wake_after" in step:
                wake = step["wake_after"]
                same("wake_after", script.wake_after(), wake and _duration(wake) // MILLISECOND)
        script.close()


SAYS = {
    "after", "at", "context", "granted", "member", "metadata", "publish", "reload", "session", "track", "user",
}
"""What a step says."""
TELLS = {"fired", "calls", "exposed", "wake_after"}
"""What is compared as a whole."""
LOOKS = {
    "holds": lambda page, slot: page.holder(slot),
    "actions": lambda page, slot: page.actions(slot),
    "variables": lambda page, name: page.variable(name),
    "reasons": lambda page, rule: page.reason(rule),
    "origins": lambda page, experiment: page.origin(experiment),
}
"""What there is to compare of a page, by the field of a step."""
