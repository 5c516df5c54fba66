"""The condition vectors and the corpus of patterns, asked of plain attributes and as rules of a visitor."""

import collections
import json
import unittest

from core import Core, pack
from vectors import (
    CONDITIONS, compiled, conditions, expected_of, found_of, judged_cases, needs_binary, spec, why_no_plain_case,
)


class Conditions(unittest.TestCase):
    def test_every_condition_vector_is_judged_over_its_document_or_refused(self):
        files = [*CONDITIONS, "50-calendar"]
        asked = judged_cases(files)
        answers = Core().conditions_judge([case for _, case, _ in asked])
        for (title, _, vector), answer in zip(asked, answers, strict=True):
            with self.subTest(title):
                self.assertEqual(found_of(answer), expected_of(vector))
        refused = sum("error" in answer for answer in answers)
        total = sum(len(spec(file)) for file in files)
        print(f"conditions_judge: {len(answers)} of {total} condition vectors, {refused} of them refused as they must be")
        self.assertEqual(len(answers), total)
        self.assertGreater(refused, 80)

    def test_every_condition_vector_over_plain_attributes_gives_its_answer(self):
        left_out, cases, expected = collections.Counter(), [], []
        for title, vector in conditions():
            reason = why_no_plain_case(vector)
            if reason:
                left_out[reason] += 1
                continue
            cases.append([vector["document"], vector["condition"], vector.get("groups", {})])
            expected.append((title, vector["holds"]))
        answers = Core().conditions_hold(cases)
        total = len(cases) + sum(left_out.values())
        print(f"conditions_hold: {len(cases)} of {total} condition vectors over plain attributes; of documents: {dict(left_out)}")
        self.assertEqual(list(zip((title for title, _ in expected), answers)), expected)
        self.assertGreater(len(cases), 800)

    def test_every_pattern_of_the_corpus_matches_every_text_or_not_as_it_must(self):
        corpus, core = spec("13-pattern-corpus"), Core()
        texts, patterns = corpus["texts"], corpus["patterns"]
        for pattern in patterns:
            test = {{"": "$regex", "i": "$regexi"}[pattern["flags"]]: pattern["pattern"]}
            answers = core.conditions_hold([[{"text": text}, {"text": test}] for text in texts])
            found = "".join("1" if answer else "0" for answer in answers)
            self.assertEqual(found, pattern["matches"], f"/{pattern['pattern']}/{pattern['flags']}")
        print(f"13-pattern-corpus: {len(patterns)} patterns on {len(texts)} texts")
        self.assertGreater(len(patterns) * len(texts), 20_000)

    @needs_binary
    def test_every_condition_vector_over_a_visitor_gives_its_answer_as_a_rule(self):
        asked = [
            (title, vector)
            for title, vector in conditions()
            if "holds" in vector and not {"signals", "event", "now"} & vector["document"].keys()
        ]
        bundles = collections.defaultdict(list)
        for title, vector in asked:
            names = {part: vector[part] for part in ("groups", "segments") if part in vector}
            bundles[json.dumps(names)].append((title, vector))
        core, answers = Core(), []
        for names, members in bundles.items():
            names = json.loads(names)
            rules = [
                {"id": f"r{at}", "slot": f"s{at}", "when": vector["condition"], "actions": []}
                for at, (_, vector) in enumerate(members)
            ]
            source = {"rules": rules}
            if "groups" in names:
                source["groups"] = [{"id": name, "values": values} for name, values in names["groups"].items()]
            if "segments" in names:
                source["segments"] = [{"id": name, "when": when} for name, when in names["segments"].items()]
            handle = core.opened(core.call("evaluator_new", core.put(compiled(source))))
            slots = core.answer(core.call("evaluator_names", handle))["slots"]
            for at, (title, vector) in enumerate(members):
                core.call("visitor_set", handle, core.scratch(pack(vector["document"])))
                decision = core.answer(core.call("visitor_decision", handle, slots.index(f"s{at}")))
                answers.append((title, decision is not None))
            core.call("evaluator_free", handle)
        print(f"visitor_set: {len(answers)} condition vectors as rules, {len(bundles)} bundles")
        self.assertEqual(sorted(answers), sorted((title, vector["holds"]) for title, vector in asked))
        self.assertGreater(len(answers), 800)
