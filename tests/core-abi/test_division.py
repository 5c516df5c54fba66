"""The vectors of ranges and of candidates: how units are divided between variations, and between two bundles."""

import hashlib
import json
import pathlib
import tempfile
import unittest

from core import Core
from statement import statement
from vectors import attune, needs_binary, spec


class Division(unittest.TestCase):
    def test_every_bucketing_vector_gives_its_ranges(self):
        core, vectors, asked = Core(), spec("21-bucketing"), 0
        for vector in vectors:
            division = {part: vector[part] for part in ("count", "coverage", "weights") if part in vector}
            ranges = core.answer(core.call("bucket_ranges", core.put(json.dumps(division))))
            self.assertEqual(ranges, vector["ranges"], vector["name"])
            asked += 1
        print(f"bucket_ranges: {asked} of {len(vectors)} vectors")
        self.assertEqual(asked, len(vectors))

    def test_every_unit_gets_the_bundle_that_its_vector_says(self):
        core, vectors, by_candidate = Core(), spec("60-candidate"), {}
        for vector in vectors:
            by_candidate.setdefault((vector["seed"], vector["share"]), []).append(vector)
        asked = 0
        for (seed, share), members in by_candidate.items():
            bundles, units = divided(core, statement(seed, share), [vector["unit"] for vector in members])
            self.assertEqual([bundle["revision"] for bundle in bundles], [1, 2])
            for vector, number in zip(members, units, strict=True):
                self.assertEqual(bundles[number]["revision"], vector["revision"], vector["name"])
                asked += 1
        print(f"current_bundles: {asked} of {len(vectors)} vectors by {len(by_candidate)} statements")
        self.assertEqual(asked, len(vectors))

    def test_a_statement_without_a_candidate_names_one_bundle_and_no_unit_that_is_no_text(self):
        bundles, units = divided(Core(), statement(), ["a", 7, None, "b"])
        self.assertEqual(bundles, [{"revision": 1, "hash": "01" * 32}])
        self.assertEqual(units, [0, None, None, 0])

    @needs_binary
    def test_a_signed_statement_names_its_bundles_by_the_hashes_of_their_envelopes(self):
        with tempfile.TemporaryDirectory() as folder:
            rules, key, current, *bundles = (
                pathlib.Path(folder, name) for name in ("rules", "key", "current", "one", "two")
            )
            rules.mkdir()
            (rules / "rules.json").write_text('{"rules":[]}', encoding="utf-8")
            attune("keygen", "--output", key)
            for revision, bundle in enumerate(bundles, 1):
                attune("compile", rules, "--output", bundle)
                attune("sign", bundle, "--key", key, "--output", bundle, "--revision", revision)
            trial = ["--candidate", bundles[1], "--percent", "50", "--seed", "half"]
            attune("current", bundles[0], "--key", key, "-o", current, *trial)
            even = [vector for vector in spec("60-candidate") if vector["seed"] == "half"]
            named, units = divided(Core(), current.read_bytes(), [vector["unit"] for vector in even])
            hashes = [hashlib.sha256(bundle.read_bytes()).hexdigest() for bundle in bundles]
        self.assertEqual([bundle["hash"] for bundle in named], hashes)
        self.assertEqual([named[number]["revision"] for number in units], [vector["revision"] for vector in even])
        self.assertGreater(len(even), 10)


def divided(core, statement, units):
    """The bundles that a statement names, and the number of each unit's own."""
    answer = core.answer(core.call("current_bundles", core.put(statement), core.put(json.dumps(units))))
    return answer["bundles"], answer["units"]
