/** The turn to show what is capped: pages take it one after the other, and each knows what those before it have shown. */

import type { Entries } from '../browser/entries.ts';
import { inTime } from '../browser/in-time.ts';
import { awaitLock } from '../browser/locks.ts';
import type { Core } from '../core/core.ts';
import { PROFILE, TURN } from '../core/operations.ts';
import type { KeptEvent } from './events.ts';
import { type Lanes, lanesIn } from './lanes.ts';
import type { Past } from './past.ts';
import { stateIn } from './state.ts';

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
  /** Whose events follow. */
  sender(): Pick<KeptEvent, 'member' | 'lane' | 'user'>;
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
  const { core, entries, lanes, past, space, sender, input, begun } = options;
  const release = await awaitLock(`${space}turn`, AbortSignal.timeout(PATIENCE_MS));
  try {
    const stored = await entries.read(IDBKeyRange.lowerBound(''));
    const { base } = stateIn(stored, sender().member);
    // What another page has shown may be in there already, and nowhere else any more.
    if (base) input(() => core(PROFILE, base));
    const isOther = (lane: string) => !lanes.owns(lane);
    if (lanesIn(stored).some(isOther)) (await inTime(past.open(), PATIENCE_MS)).count(stored);
  } catch {
    // What they have said since this page began is counted all the same.
  }
  try {
    input(() => {
      begun();
      core(TURN);
    });
    // A database that does not answer keeps no page from going on.
    await inTime(Promise.resolve(entries.flush()), PATIENCE_MS).catch(() => {});
  } finally {
    release?.();
  }
}
