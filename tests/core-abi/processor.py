"""The two steps of `core.wasm` over states that this host owns: open, absorb, combine, save, close."""

import json


class Processor:
    """A bundle in effect, in one instance of the core."""

    def __init__(self, core, bundle, at_ms=0.0):
        self.core = core
        self.handle = core.opened(core.call("processor_new", core.put(bundle), at_ms))

    def member(self, name, saved=b""):
        """Opens a member's state."""
        core = self.core
        return State(core, core.opened(core.call("member_open", core.put(name), core.put(saved))))

    def profile(self, saved=b""):
        """Opens a profile's state."""
        return State(self.core, self.core.opened(self.core.call("profile_open", self.core.put(saved))))

    def absorb(self, member, records):
        """Takes records of a member in and returns what the core answers."""
        return self._ask("processor_absorb", member.handle, self.core.put(json.dumps(records)))

    def combine(self, profile, changes, left=None):
        """Takes changes into a profile and returns what the core answers."""
        changes = self.core.put(json.dumps([change["change"] for change in changes]))
        return self._ask("processor_combine", profile.handle, left.handle if left else 0, changes)

    def wake(self, profile, at_ms):
        """Lets time pass for a profile."""
        return self._ask("processor_wake", profile.handle, float(at_ms))

    def decide(self, profile, context=None):
        """The slots whose decision differs since the last time."""
        context = self.core.put("" if context is None else json.dumps(context))
        return self._ask("processor_decide", profile.handle, context)

    def read(self, profile, questions):
        """Reads signals of a profile, each at an instant."""
        return self._ask("processor_read", profile.handle, self.core.put(json.dumps(questions)))

    def view(self, profile):
        """The profile as the core describes it."""
        return self._ask("processor_profile", profile.handle)

    def publish(self, bundle, at_ms):
        """Puts another bundle into effect."""
        if self.core.call("processor_publish", self.handle, self.core.put(bundle), float(at_ms)) < 0:
            self.core.opened(-1)

    def roll_out(self, statement, candidate, at_ms):
        """Gives a share of all members the candidate that a statement names."""
        core = self.core
        if core.call("processor_rollout", self.handle, core.put(statement), core.put(candidate), float(at_ms)) < 0:
            core.opened(-1)

    def free(self):
        """Frees the processor."""
        self.core.call("processor_free", self.handle)

    def _ask(self, export, *arguments):
        return self.core.answer(self.core.call(export, self.handle, *arguments))


class State:
    """An open state."""

    def __init__(self, core, handle):
        self.core, self.handle = core, handle

    def save(self):
        """The bytes from which it is opened again."""
        return self.core.take(self.core.call("state_save", self.handle))

    def close(self):
        """Closes it and returns what it was saved as."""
        saved = self.save()
        self.core.call("state_close", self.handle)
        return saved


def record(event):
    """An event whose user, where it names one, is proven."""
    return {"event": event, "proven": True}
