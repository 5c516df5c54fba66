/** Keeps bodies of what has not been delivered ready for the moment the page is gone, and leaves them with browsers that take them. */

import { gzip } from '../browser/gzip.ts';
import { postLater } from '../browser/later.ts';
import { timer } from '../browser/timer.ts';
import type { Cut, Ready, Tail } from './tail.ts';

/** How long after a change the tail is made ready: longer than a healthy collector takes to answer. */
const READY_AFTER_MS = 250;
/** Everything that outlives a page shares 64 KiB. */
const MAX_BYTES = 60 * 1_024;

/** What makes a tail ready. */
export interface Reserve {
  /** What waits to be delivered may have changed. */
  changed(): void;
  /** The page leaves, or forgets: makes nothing ready until something changes, nor what is being made now. */
  rest(): void;
}

/** Nothing is to be made ready yet; `cut` gives what waits now. */
export function openReserve(url: () => string, tail: Tail, cut: () => Cut[]): Reserve {
  const due = timer();
  let turns = 0;

  const prepare = async () => {
    turns += 1;
    const turn = turns;
    const cuts = cut();
    if (tail.holds(cuts)) return;
    const made = await Promise.all(
      cuts.map(async ({ rows, text }): Promise<Ready> => {
        // It leaves nobody knows when.
        const plain = new TextEncoder().encode(text(rows, undefined));
        return { rows, bytes: (await gzip(plain)) ?? plain, takeBack: undefined };
      }),
    );
    // Something has changed meanwhile, and the next turn is due.
    if (due.isSet() || turn !== turns) return;
    tail.drop();
    let room = MAX_BYTES;
    for (const one of made) {
      room -= one.bytes.length;
      if (room < 0) break;
      one.takeBack = postLater(url(), one.bytes);
      tail.take(one);
    }
  };
  return {
    changed() {
      if (!due.isSet()) due.set(READY_AFTER_MS, prepare);
    },
    rest() {
      turns += 1;
      due.clear();
    },
  };
}
