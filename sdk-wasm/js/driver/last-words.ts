/** What a site captures in its own handlers as its page goes, behind what the page has left by then. */

import type { Turns } from '../browser/turns.ts';

/** Watches for it. */
export interface LastWords {
  /** The page hides or leaves. */
  went(leaves: boolean): void;
  /** Something may have been captured. */
  changed(): void;
  /** The page is back. */
  stays(): void;
}

/** The page has not gone; it goes once more, in the same way, for all that is captured in the task in which it went. */
export function openLastWords(turns: Pick<Turns, 'hidden' | 'leaving'>): LastWords {
  let turn: keyof typeof turns | undefined;
  let isDue = false;
  let wasHidden = false;
  const stays = () => {
    turn = undefined;
  };
  return {
    went(leaves) {
      if (turn !== 'leaving') turn = leaves ? 'leaving' : 'hidden';
      wasHidden = document.hidden;
      // Only a page that goes on has another task.
      setTimeout(stays);
    },
    changed() {
      // WebKit shows a page that comes out of the cache before it says so, and before any timer.
      if (wasHidden && !document.hidden) stays();
      if (!turn || isDue) return;
      isDue = true;
      // Behind the question what is to be sent: what leaves by itself is not handed over.
      queueMicrotask(() => {
        if (turn) turns[turn]();
        isDue = false;
      });
    },
    stays,
  };
}
