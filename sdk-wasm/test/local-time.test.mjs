/** What a page says of its visitor's clocks. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const { localTime } = await load('local-time.ts');

for (const [name, now, offset, changesAt, next] of [
  ['Europe/Rome', '2025-07-16T10:00:30Z', 120, '2025-10-26T01:00:00.000Z', 60],
  ['Europe/Rome', '2025-10-26T00:59:59.999Z', 120, '2025-10-26T01:00:00.000Z', 60],
  ['Europe/Rome', '2024-10-27T01:00:00Z', 60, '2025-03-30T01:00:00.000Z', 120],
  ['America/New_York', '2025-01-01T00:00:00Z', -300, '2025-03-09T07:00:00.000Z', -240],
  ['Australia/Lord_Howe', '2025-04-01T00:00:00Z', 660, '2025-04-05T15:00:00.000Z', 630],
  ['Africa/Casablanca', '2025-02-20T00:00:00Z', 60, '2025-02-23T02:00:00.000Z', 0],
  ['Asia/Kathmandu', '2025-07-16T10:00:00Z', 345, undefined, undefined],
  ['UTC', '2025-07-16T10:00:00Z', 0, undefined, undefined],
]) {
  it(`knows the offset of ${name} at ${now} and its next change`, () => {
    process.env.TZ = name;
    const found = localTime(Date.parse(now));
    assert.deepEqual(
      [found.utc_offset_minutes, found.changes_at, found.next_utc_offset_minutes],
      [offset, changesAt, next],
    );
    assert.ok(!Object.is(found.utc_offset_minutes, -0));
  });
}
