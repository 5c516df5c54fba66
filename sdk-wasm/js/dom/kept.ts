/** A change, the elements it has been made on, and how often the page has undone it there. */

import { type Change, type Made, make } from './change.ts';

/** How often a second a change is made again on one element before it is left to the page. */
const MAX_REPEATS = 10;
const SECOND_MS = 1_000;

/** What can be wrong with a change: the browser refuses it, or the page keeps undoing it. */
export type Problem = 'refused' | 'loop';

interface Edit {
  made: Made;
  repeats: number;
  sinceMs: number;
}

/** A change in effect. */
export class Kept {
  readonly change: Change;
  readonly #edits = new Map<Element, Edit>();
  #isRefused = false;

  constructor(change: Change) {
    this.change = change;
  }

  /** Makes the change on every element it is not in place on, and forgets elements that have left the document. */
  ensure(): Problem | undefined {
    if (this.#isRefused) return undefined;
    const edits = this.#edits;
    for (const element of edits.keys()) if (!element.isConnected) edits.delete(element);
    let problem: Problem | undefined;
    try {
      for (const element of document.querySelectorAll(this.change.target)) {
        if (this.#ensureOn(element)) problem = 'loop';
      }
    } catch {
      this.#isRefused = true;
      problem = 'refused';
    }
    return problem;
  }

  /** Takes the change back wherever it is in place; what the page has changed since stays. */
  takeBack(): void {
    for (const { made } of [...this.#edits.values()].reverse()) if (made.holds()) made.undo();
  }

  /** Says whether the page has won over the change just now. */
  #ensureOn(element: Element): boolean {
    const nowMs = performance.now();
    const edit = this.#edits.get(element);
    if (!edit) {
      this.#edits.set(element, { made: make(this.change, element), repeats: 0, sinceMs: nowMs });
      return false;
    }
    if (edit.repeats > MAX_REPEATS || edit.made.holds()) return false;
    if (nowMs - edit.sinceMs >= SECOND_MS) {
      edit.sinceMs = nowMs;
      edit.repeats = 0;
    }
    edit.repeats += 1;
    if (edit.repeats > MAX_REPEATS) return true;
    // What the page has put there is what it wants to see when the change is taken back.
    edit.made = make(this.change, element);
    return false;
  }
}
