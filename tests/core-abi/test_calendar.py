"""The vectors of the calendar: each condition as a rule, at its instant; those that no bundle can have as they are."""

import unittest

from core import Core, Visitor
from vectors import compiled, expected_of, found_of, judged_cases, ms, needs_binary


class Calendar(unittest.TestCase):
    @needs_binary
    def test_every_calendar_vector_gives_its_answer_and_its_next_instant(self):
        core, vectors = Core(), judged_cases(["50-calendar"])
        refused = [(title, case, vector) for title, case, vector in vectors if "error" in vector]
        answers = core.conditions_judge([case for _, case, _ in refused])
        for (title, _, vector), answer in zip(refused, answers, strict=True):
            self.assertEqual(found_of(answer), expected_of(vector), title)
        asked = [vector for _, _, vector in vectors if "error" not in vector]
        for vector in asked:
            rules = {"rules": [{"id": "r", "slot": "s", "when": vector["condition"], "actions": []}]}
            handle = core.opened(core.call("evaluator_new", core.put(compiled(rules))))
            visitor = Visitor(core, handle, "m")
            visitor.set({"context": vector["document"].get("context", {})})
            visitor.at(ms(vector["document"]["now"]))
            found = visitor.current.get("s") is not None
            wake_at = vector.get("wake_at")
            expected = vector["holds"], wake_at and ms(wake_at)
            self.assertEqual((found, visitor.wake_at()), expected, f"{vector['number']}: {vector['name']}")
            core.call("evaluator_free", handle)
        print(f"50-calendar: {len(asked)} vectors as rules, {len(answers)} refused, of {len(vectors)}")
        self.assertEqual(len(asked) + len(answers), len(vectors))
