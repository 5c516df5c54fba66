/** Taking back what other page loads stored: the lanes of pages that are still open are left to them. */

import type { Change, Key } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import { type Call, isStoredCall } from '../calls.ts';
import { type KeptEvent, type KeptLane, laneOf, readEvent, readLane } from './events.ts';

/** What is taken back. */
export interface Adopted {
  events: KeptEvent[];
  lanes: KeptLane[];
  /** Calls that their page could not make, by key. */
  calls: [Key, Call][];
  /** Keys of entries that cannot be read. */
  unreadable: Key[];
}

/** Reads what lanes that this page holds have stored. */
export async function adopt(entries: Entries, lanes: Iterable<string>): Promise<Adopted> {
  return sortOut(await readLanes(entries, lanes));
}

/** Every entry of some lanes. */
export async function readLanes(entries: Entries, lanes: Iterable<string>): Promise<Change[]> {
  const ranges = [...lanes].flatMap((lane) => [
    IDBKeyRange.only(`lane/${lane}`),
    IDBKeyRange.bound([lane], [lane, []]),
  ]);
  return (await Promise.all(ranges.map(entries.read))).flat();
}

/** The lanes that entries speak of. */
export function lanesIn(stored: Change[]): string[] {
  return [...new Set(stored.flatMap(([key]) => laneOf(key) ?? []))];
}

/** Tells apart what entries of lanes are; oldest events first. Other entries are left out. */
export function sortOut(found: Change[]): Adopted {
  const sorted: Adopted = { events: [], lanes: [], calls: [], unreadable: [] };
  for (const change of found) {
    const [key, value] = change;
    if (!laneOf(key)) continue;
    const event = readEvent(change);
    const count = readLane(change);
    if (event) sorted.events.push(event);
    else if (count) sorted.lanes.push(count);
    else if (isStoredCall(value)) sorted.calls.push([key, value]);
    else sorted.unreadable.push(key);
  }
  sorted.events.sort(inOrder);
  return sorted;
}

/** Oldest first; those of one instant by lane and number. */
function inOrder(one: KeptEvent, other: KeptEvent): number {
  return (
    one.ms - other.ms || Number(one.lane > other.lane) - Number(one.lane < other.lane) || one.seq - other.seq
  );
}
