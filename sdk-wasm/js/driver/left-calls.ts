/** Calls of earlier pages that no core has made: where none ever comes, nothing else bounds what is stored of them. */

import { keepWithin } from '../bound.ts';
import type { Change, Key } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import { hasLocks } from '../browser/locks.ts';
import { type Call, isStoredCall } from '../calls.ts';
import { type Lanes, laneOf } from './lanes.ts';

/** Gives up what pages that are gone have stored of calls beyond what one page may; `lose` hears of each. */
export async function giveUpCalls(
  entries: Entries,
  lanes: Lanes,
  stored: Change[],
  lose: () => void,
): Promise<void> {
  // Asked before any lane is taken over, so that what goes is gone when that is read.
  const { held = [] } = hasLocks() ? await navigator.locks.query() : {};
  const isOpen = (lane: string) => lanes.owns(lane) || held.some(({ name }) => name === lanes.nameOf(lane));
  const keys = new Map<Call, Key>();
  for (const [key, value] of stored)
    if (isStoredCall(value) && !isOpen(laneOf(key) ?? '')) keys.set(value, key);
  const kept: Call[] = [];
  const msOf = ([, what]: Call) => (what as { ms?: number }).ms ?? 0;
  for (const call of [...keys.keys()].sort((one, other) => msOf(one) - msOf(other))) {
    keepWithin(kept, call, (gone) => {
      entries.delete(keys.get(gone) as Key);
      lose();
    });
  }
  if (kept.length < keys.size) entries.flush();
}
