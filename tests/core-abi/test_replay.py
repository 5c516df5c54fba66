"""The recorded shop sessions give the figures that were counted from the recording by other means."""

import collections
import json
import time
import unittest

import shop
from core import Core
from vectors import compiled, needs_binary


class Replay(unittest.TestCase):
    @needs_binary
    @unittest.skipUnless(shop.RECORDING.is_file(), f"{shop.RECORDING} is not on this machine")
    def test_the_recording_gives_its_known_figures(self):
        core = Core()
        handle = core.opened(core.call("evaluator_new", core.put(compiled(shop.RULES))))
        counted, by_category, ids = collections.Counter(), collections.Counter(), set()
        batches = list(shop.batches())
        started = time.perf_counter()
        # Everything twice: what is repeated counts as a duplicate and nowhere else.
        for batch in batches + batches:
            answer = core.answer(core.call("evaluator_absorb", handle, core.put(batch)))
            self.assertEqual(answer["errors"], [])
            counted.update({name: answer[name] for name in ("accepted", "duplicates")})
            by_category.update(firing["key"] for firing in answer["firings"])
            ids.update(firing["id"] for firing in answer["firings"])
        seconds = time.perf_counter() - started
        summary = core.answer(core.call("evaluator_summary", handle))
        print(f"replay: {json.dumps(summary)} in {seconds:.1f} s, {2 * len(batches)} calls")
        self.assertEqual((summary["profiles"], summary["events"], summary["firings"]), (12_147, 83_853, 10_453))
        self.assertEqual(summary["signals"]["price_cents"], 366_349_700)
        self.assertEqual(by_category, {"1": 3_121, "2": 2_717, "3": 2_483, "4": 2_132})
        self.assertEqual(counted, {"accepted": 83_853, "duplicates": 83_853})
        self.assertEqual(len(ids), 10_453, "firings have ids of their own")
