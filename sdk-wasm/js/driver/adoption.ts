/** Reading what other page loads stored: the lanes of pages that are still open are left to them. */

import type { Change, Key } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import { type Call, isStoredCall } from '../calls.ts';
import { fieldsOf, isObject, parseJson } from '../json.ts';
import { isUuid } from '../uuid.ts';
import type { KeptEvent, KeptLane } from './events.ts';
import { laneOf } from './lanes.ts';

/** What is taken back. */
export interface Adopted {
  events: KeptEvent[];
  lanes: KeptLane[];
  /** Calls that their page could not make, by key. */
  calls: [Key, Call][];
  /** Keys of entries that cannot be read. */
  unreadable: Key[];
}

/** Every entry of some lanes. */
export async function readLanes(entries: Entries, lanes: Iterable<string>): Promise<Change[]> {
  const ranges = [...lanes].flatMap((lane) => [
    IDBKeyRange.only(`lane/${lane}`),
    IDBKeyRange.bound([lane], [lane, []]),
  ]);
  return (await Promise.all(ranges.map(entries.read))).flat();
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

/** Reads the entry of an event; nothing where it is none. */
function readEvent([[lane, seq], value]: Change): KeptEvent | undefined {
  const event = value as KeptEvent;
  const { id, type, ms, member, user = '', session, metadata = '{}', priority } = fieldsOf(event);
  const isWhole =
    [type, member, user, metadata].every((field) => typeof field === 'string') &&
    [id, session, lane].every(isUuid) &&
    isCount(seq) &&
    [0, 1, 2].includes(priority as number) &&
    Number.isFinite(ms) &&
    isObject(parseJson(metadata as string));
  return isWhole && event.lane === lane && event.seq === seq ? event : undefined;
}

/** Reads the entry of a lane's count; nothing where it is none. */
function readLane([key, value]: Change): KeptLane | undefined {
  const [member, lane, count] = Array.isArray(value) ? value : [];
  const isWhole = isUuid(lane) && lane === laneOf(key) && typeof member === 'string' && member;
  return isWhole && isCount(count) ? [member, lane, count] : undefined;
}

function isCount(number: unknown): number is number {
  return Number.isSafeInteger(number) && (number as number) > 0;
}

/** Oldest first; those of one instant by lane and number. */
function inOrder(one: KeptEvent, other: KeptEvent): number {
  return (
    one.ms - other.ms || Number(one.lane > other.lane) - Number(one.lane < other.lane) || one.seq - other.seq
  );
}
