/** The turn to show what is capped: pages take it one after the other, and each knows what those before it have shown. */

import type { Entries } from '../browser/entries.ts';
import { inTime } from '../browser/in-time.ts';
import { awaitLock } from '../browser/locks.ts';
import type { Core } from '../core/core.ts';
import { TURN } from '../core/operations.ts';
import { type Lanes, laneOf } from './lanes.ts';
import type { Past } from './past.ts';

/** Longest time for which a page waits for others, or for what they have stored: one that is stuck keeps nobody from showing. */
const PATIENCE_MS = 5_000;

/** What is needed of the page. */
export interface TurnOptions {
  core: Core;
  entries: Entries;
  lanes: Lanes;
  past: Past;
  /** The prefix of the site's names. */
  space: string;
  /** Makes an input, which is followed by asking what is to be sent. */
  input(act: () => void): void;
  /** The turn has come. */
  begun(): void;
}

/**
 * Waits for this page's turn and takes it: gives the core what other pages have stored, and whatever it then shows is
 * stored before the next page has its turn. Where the browser has no locks it is at once.
 */
export async function takeTurn(options: TurnOptions): Promise<void> {
  const { core, entries, lanes, past, space, input, begun } = options;
  const release = await awaitLock(`${space}turn`, AbortSignal.timeout(PATIENCE_MS));
  try {
    const stored = await inTime(entries.read(IDBKeyRange.lowerBound([])), PATIENCE_MS);
    const others = stored.filter(([key]) => !lanes.owns(laneOf(key) ?? ''));
    const taking = others[0] && (await inTime(past.open(), PATIENCE_MS));
    if (taking) taking.count(others);
  } catch {
    // What they have said since this page began is counted all the same.
  }
  input(() => {
    begun();
    core(TURN);
  });
  await entries.flush();
  release?.();
}
