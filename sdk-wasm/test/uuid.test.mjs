/** Ids made at the call. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

it('makes version 7 ids that carry their time', async () => {
  const { uuidV7 } = await load('uuid.ts');
  const id = uuidV7(1_700_000_000_123);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), 1_700_000_000_123);
});

it('makes ids that grow, within one millisecond and when the clock is set back', async () => {
  const { uuidV7 } = await load('uuid.ts');
  const times = [...Array(10_000).fill(1_000_000), 999_000, 1_000_001, 5_000_000];
  const ids = times.map(uuidV7);
  assert.deepEqual(ids, [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
});
