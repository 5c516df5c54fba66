"""The vectors of the calendar: each condition as a rule, at its instant."""

import datetime
import unittest

from core import Core, Visitor
from vectors import compiled, needs_binary, spec

REFUSED = 10
"""Conditions that a compiler refuses, so that no bundle has them."""


class Calendar(unittest.TestCase):
    @needs_binary
    def test_every_calendar_vector_gives_its_answer_and_its_next_instant(self):
        core, vectors = Core(), spec("50-calendar")
        asked = [vector for vector in vectors if "error" not in vector]
        for vector in asked:
            rules = {"rules": [{"id": "r", "slot": "s", "when": vector["condition"], "actions": []}]}
            handle = core.opened(core.call("evaluator_new", core.put(compiled(rules))))
            visitor = Visitor(core, handle, "m")
            visitor.set({"context": vector["document"].get("context", {})})
            visitor.at(_ms(vector["document"]["now"]))
            found = visitor.current.get("s") is not None
            wake_at = vector.get("wake_at")
            expected = vector["holds"], wake_at and _ms(wake_at)
            self.assertEqual((found, visitor.wake_at()), expected, f"{vector['number']}: {vector['name']}")
            core.call("evaluator_free", handle)
        print(f"50-calendar: {len(asked)} of {len(vectors)} vectors, the rest are refused by the compiler")
        self.assertEqual(len(vectors) - len(asked), REFUSED)


def _ms(text):
    """An instant in milliseconds since 1970."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(at.timestamp() * 1_000)
