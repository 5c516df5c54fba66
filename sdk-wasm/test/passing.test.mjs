/** What a lane tells of calls that were given up before anything could number them. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

it('tells of every lost call in one lane, as often as that lane says something', async () => {
  const { openPassing } = await load('driver/passing.ts');
  let lost = 2;
  const passing = openPassing(
    { judges: () => undefined },
    () => {},
    () => lost,
  );
  assert.deepEqual([passing.lost(), passing.lost()], [2, 2]);
  lost = 5;
  assert.equal(passing.lost(), 5);
  // This lane has no batch any more.
  lost = 6;
  passing.renew();
  assert.equal(passing.lost(), 1);
  lost = 8;
  assert.equal(passing.lost(), 3);
  passing.renew();
  assert.equal(passing.lost(), 0);
});
