/** Taking back what earlier page loads stored: the lanes of pages that are still open are left to them. */

import type { Entries } from '../browser/entries.ts';
import { type KeptEvent, type KeptLane, laneOf, readEvent, readLane } from './events.ts';
import type { Lanes } from './lanes.ts';

/** What is taken back. */
export interface Adopted {
  events: KeptEvent[];
  lanes: KeptLane[];
  /** Keys of entries that cannot be read. */
  unreadable: string[];
}

/** Adopts the lanes that are over, in a later task. */
export async function adopt(entries: Entries, lanes: Lanes): Promise<Adopted> {
  const stored = entries.keys().map((key) => [laneOf(key), key, entries.get(key) ?? ''] as const);
  const found = await lanes.adopt([...new Set(stored.flatMap(([lane]) => lane ?? []))]);
  const adopted: Adopted = { events: [], lanes: [], unreadable: [] };
  for (const [lane, key, text] of stored) {
    if (lane === undefined || !found.has(lane)) continue;
    const event = readEvent(key, text);
    const count = readLane(key, text);
    if (event) adopted.events.push(event);
    else if (count) adopted.lanes.push(count);
    else adopted.unreadable.push(key);
  }
  return adopted;
}
