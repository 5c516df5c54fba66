"""The vectors of hashes, features and experiments."""

import json
import math
import unittest

from core import Core
from vectors import spec


class GrowthBook(unittest.TestCase):
    def test_every_hash_vector_gives_its_bucket(self):
        core, asked = Core(), 0
        for vector in spec("20-hash"):
            # Half a surrogate pair is no text in UTF-8; what stands for it on the wire is U+FFFD.
            unit = vector.get("before", "") + "\ufffd" if "half" in vector else vector["unit"]
            seed, unit = core.put(vector["seed"]), core.put(unit)
            bucket = core.call("bucket_hash", seed, unit, float(vector["version"]))
            # A version that does not exist is answered with NaN.
            self.assertEqual(None if math.isnan(bucket) else bucket, vector["bucket"], vector["name"])
            asked += 1
        self.assertEqual(asked, 64)

    def test_every_feature_vector_gives_its_result(self):
        self.run_vectors("22-features", "growthbook_feature", lambda vector: vector["key"])

    def test_every_experiment_vector_gives_its_result(self):
        self.run_vectors("23-run", "growthbook_run", lambda vector: json.dumps(vector["experiment"]))

    def run_vectors(self, file, export, question):
        core, vectors = Core(), spec(file)
        for vector in vectors:
            payload = json.dumps(vector.get("payload", {}))
            handle = core.opened(core.call("growthbook_new", core.put(payload)))
            refused = core.take(core.call("growthbook_set", handle, core.put(json.dumps(vector["options"]))))
            self.assertEqual(refused, b"", vector["name"])
            result = core.answer(core.call(export, handle, core.put(question(vector))))
            self.assertEqual(result, vector["result"], vector["name"])
            if "sticky" in vector:
                documents = core.answer(core.call("growthbook_sticky", handle))
                self.assertEqual(documents, vector["sticky"], vector["name"])
            core.call("growthbook_free", handle)
        print(f"{export}: {len(vectors)} vectors")
