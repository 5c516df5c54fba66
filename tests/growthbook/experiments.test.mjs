/** Hashes and experiments by chance: ours and GrowthBook's own package give the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Evaluator, hash } from '../../sdk-wasm/dist/evaluator.js';
import { Chance } from './chance.mjs';
import { Made, NONE } from './made.mjs';
import { inner, plain, real } from './real.mjs';

const HASHES = 20_000;
const RUNS = 20_000;

test(`${HASHES} hashes are those of GrowthBook`, () => {
  const made = new Made(new Chance(1));
  for (let left = HASHES; left > 0; left -= 1) {
    const asked = [made.text(), made.text(), made.chance.one([1, 2, 2, 1, 0, 3, 1.5])];
    assert.equal(hash(...asked), inner.hash(...asked), JSON.stringify(asked));
  }
});

test(`${RUNS} experiments give what GrowthBook gives`, () => {
  const chance = new Chance(2);
  const made = new Made(chance);
  const seen = { inside: 0, sticky: 0, outside: 0 };
  for (let left = RUNS; left > 0; ) {
    const payload = made.payload();
    const ours = Evaluator.fromGrowthBook(payload);
    for (let visitors = 5; visitors > 0; visitors -= 1) {
      const options = made.options();
      ours.setOptions({ ...NONE, ...options });
      const theirs = real(payload, options);
      for (let asked = 5; asked > 0; asked -= 1, left -= 1) {
        const experiment = made.experiment();
        const expected = plain(theirs.run(structuredClone(experiment)));
        const given = ours.run(experiment);
        assert.deepEqual(given, expected, JSON.stringify({ payload, options, experiment }));
        seen[given.stickyBucketUsed ? 'sticky' : given.inExperiment ? 'inside' : 'outside'] += 1;
      }
      if (options.stickyBucketAssignmentDocs) {
        assert.deepEqual(ours.stickyBucketAssignmentDocs, plain(theirs.getStickyBucketAssignmentDocs()));
      }
      theirs.destroy();
    }
    ours.free();
  }
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > RUNS / 150, `${kind}: ${count}`);
});
