/** Features by chance: ours and GrowthBook's own package give the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Evaluator } from '../../sdk-wasm/dist/evaluator.js';
import { Chance } from './chance.mjs';
import { FEATURES, Made, NONE } from './made.mjs';
import { plain, real } from './real.mjs';

const FEATURE_CASES = 20_000;

test(`${FEATURE_CASES} features give what GrowthBook gives`, () => {
  const made = new Made(new Chance(3));
  const seen = new Map();
  for (let left = FEATURE_CASES; left > 0; ) {
    const payload = made.payload();
    const ours = Evaluator.fromGrowthBook(payload);
    for (let visitors = 4; visitors > 0; visitors -= 1) {
      const options = made.options();
      ours.setOptions({ ...NONE, ...options });
      const theirs = real(payload, options);
      for (const key of FEATURES) {
        const expected = plain(theirs.evalFeature(key));
        const given = ours.evalFeature(key);
        assert.deepEqual(given, expected, JSON.stringify({ payload, options, key }));
        seen.set(given.source, (seen.get(given.source) ?? 0) + 1);
        left -= 1;
      }
      if (options.stickyBucketAssignmentDocs) {
        assert.deepEqual(ours.stickyBucketAssignmentDocs, plain(theirs.getStickyBucketAssignmentDocs()));
      }
      theirs.destroy();
    }
    ours.free();
  }
  const sources = [
    'unknownFeature',
    'defaultValue',
    'force',
    'override',
    'experiment',
    'prerequisite',
    'cyclicPrerequisite',
  ];
  for (const source of sources)
    assert.ok(seen.get(source) > FEATURE_CASES / 500, `${source}: ${seen.get(source)}`);
});
