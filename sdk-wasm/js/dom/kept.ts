/** A change, the elements it has been made on, and how often the page has undone it there. */

import { isAllowed } from './allowed.ts';
import type { Change, Made } from './change.ts';

/** How often a second a change is made again on one element before it is left to the page. */
const MAX_REPEATS = 10;
const SECOND_MS = 1_000;

/** What can be wrong with a change: why the browser or its own terms refuse it, or that the page keeps undoing it. */
export type Problem = Error | 'loop';

/** A change in effect. */
export interface Kept {
  readonly change: Change;
  /**
   * Makes the change on every element it is not in place on, and forgets elements that have left the document. `late`
   * where what makes it has not loaded.
   */
  ensure(): Problem | 'late' | undefined;
  /** Takes the change back wherever it is in place; what the page has changed since stays. */
  takeBack(): void;
}

interface Edit {
  made: Made;
  repeats: number;
  sinceMs: number;
}

/** Whether a change may be made on an element now. */
export type IsReady = (change: Change, element: Element) => boolean;

/** A change that has been made nowhere, and how it is made; that throws where it cannot be. */
export function keep<Some extends Change>(
  change: Some,
  make: (change: Some, element: HTMLElement) => Made,
  isReady: IsReady = () => true,
): Kept {
  const edits = new Map<Element, Edit>();
  let isRefused = false;

  /** Says whether the page has won over the change just now. */
  const ensureOn = (element: HTMLElement): boolean => {
    const nowMs = performance.now();
    const edit = edits.get(element);
    if (!isReady(change, element)) return false;
    if (!edit) {
      edits.set(element, { made: make(change, element), repeats: 0, sinceMs: nowMs });
      return false;
    }
    if (edit.repeats > MAX_REPEATS || edit.made.holds()) return false;
    if (nowMs - edit.sinceMs >= SECOND_MS) {
      edit.sinceMs = nowMs;
      edit.repeats = 0;
    }
    if (++edit.repeats > MAX_REPEATS) return true;
    // What the page has put there is what it wants to see when the change is taken back.
    edit.made = make(change, element);
    return false;
  };

  return {
    change,
    ensure() {
      if (isRefused) return undefined;
      for (const [element, edit] of edits) {
        if (element.isConnected) continue;
        // What stands beside it may have stayed.
        undo(edit);
        edits.delete(element);
      }
      try {
        if (!isAllowed(change)) throw new TypeError('it could run code');
        const lost = [...document.querySelectorAll<HTMLElement>(change[1])].filter(ensureOn);
        return lost.length > 0 ? 'loop' : undefined;
      } catch (cause) {
        isRefused = true;
        return cause as Error;
      }
    },
    takeBack() {
      [...edits.values()].reverse().forEach(undo);
    },
  };
}

function undo({ made }: Edit): void {
  if (made.holds()) made.undo();
}
