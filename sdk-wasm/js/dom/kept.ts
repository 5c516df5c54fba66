/** A change, the elements it has been made on, and how often the page has undone it there. */

import { isAllowed } from './allowed.ts';
import type { Change, Made } from './change.ts';

/** How often a second a change is made on one element before it is left to the page: once, and ten times again. */
const MAX_TIMES = 11;
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
  made?: Made;
  /** When it has been made, as far back as that matters. */
  timesMs: number[];
}

/** What is in place of a change that is left out. */
const LEFT_OUT: Made = { holds: () => true, undo() {} };

/** Whether a change may be made on an element now. */
export type IsReady = (change: Change, element: Element) => boolean;

/** A change that has been made nowhere, and how it is made; that throws where it cannot be. */
export function keep<Some extends Change>(
  change: Some,
  make: (change: Some, element: HTMLElement) => Made,
  isReady: IsReady = () => true,
): Kept {
  const edits = new Map<Element, Edit>();
  let isTold = false;
  /** What is wrong is told once. */
  const tell = (cause: unknown) => {
    if (!cause || isTold) return undefined;
    isTold = true;
    return cause as Error;
  };

  const ensureOn = (element: HTMLElement): Problem | undefined => {
    const edit = edits.get(element) ?? { timesMs: [] };
    if (edit.made?.holds() || !isReady(change, element)) return undefined;
    edits.set(element, edit);
    // What the page has put there is what it wants to see when the change is taken back.
    edit.made?.undo();
    edit.made = LEFT_OUT;
    const { timesMs } = edit;
    const nowMs = performance.now();
    if (timesMs.push(nowMs) > MAX_TIMES && nowMs - Number(timesMs.shift()) < SECOND_MS) return 'loop';
    try {
      if (!isAllowed(change, element)) throw new TypeError('it could run code');
      edit.made = make(change, element);
      return tell(edit.made.problem);
    } catch (cause) {
      return tell(cause);
    }
  };

  return {
    change,
    ensure() {
      for (const [element, { made }] of edits) {
        if (element.isConnected) continue;
        // What stands beside it may have stayed.
        made?.undo();
        edits.delete(element);
      }
      try {
        const problems = [...document.querySelectorAll<HTMLElement>(change[1])].map(ensureOn);
        return problems.find((problem) => problem);
      } catch (cause) {
        return tell(cause);
      }
    },
    takeBack() {
      for (const { made } of [...edits.values()].reverse()) made?.undo();
    },
  };
}
