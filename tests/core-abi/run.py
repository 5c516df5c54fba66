"""Runs every `test_*.py` beside this file and prints the totals as `node --test` does, so that one reader counts both."""

import pathlib
import sys
import unittest

if __name__ == "__main__":
    folder = str(pathlib.Path(__file__).parent)
    sys.path.insert(0, folder)
    suite = unittest.defaultTestLoader.discover(folder)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"# pass {result.testsRun - failed - skipped}\n# fail {failed}\n# skipped {skipped}", flush=True)
    sys.exit(failed > 0)
