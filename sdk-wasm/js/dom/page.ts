/** The changes in effect by slot, kept in place while the page renders anew. */

import { isAllowed } from './allowed.ts';
import { type Change, watchedAttribute } from './change.ts';
import { Kept, type Problem } from './kept.ts';

/** The document with the changes that slots make to it. */
export class Page {
  readonly #slots = new Map<string, Kept[]>();
  /** Changes of slots that wait for their turn: an element's own code may run while another change is made. */
  readonly #waiting: [slot: string, changes: Change[]][] = [];
  readonly #observer = new MutationObserver(() => {
    this.#work();
    // What was just done is not to be looked at again.
    this.#observer.takeRecords();
  });
  readonly #report: (problem: Problem, target: string) => void;
  #isBusy = false;

  /** A page without changes. */
  constructor(report: (problem: Problem, target: string) => void) {
    this.#report = report;
  }

  /** Replaces the changes that a slot makes; those that could run code are left out. */
  set(slot: string, changes: Change[]): void {
    this.#waiting.push([slot, changes.filter(isAllowed)]);
    this.#work();
    this.#observe();
  }

  /** Takes every change back. */
  clear(): void {
    for (const slot of [...this.#slots.keys()]) this.set(slot, []);
  }

  /** Watches for what the changes in effect need, and for nothing while there are none. */
  #observe(): void {
    this.#observer.disconnect();
    const kept = [...this.#slots.values()].flat();
    if (kept.length === 0) return;
    const attributeFilter = kept.flatMap(({ change }) => watchedAttribute(change) ?? []);
    this.#observer.observe(document, {
      childList: true,
      characterData: true,
      subtree: true,
      ...(attributeFilter.length > 0 && { attributeFilter }),
    });
  }

  #work(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    do {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#replace(...next);
      this.#ensure();
    } while (this.#waiting.length > 0);
    this.#isBusy = false;
  }

  /** A change that the slot goes on making stays as it is: the page does not flicker. */
  #replace(slot: string, changes: Change[]): void {
    const before = this.#slots.get(slot) ?? [];
    const texts = changes.map(textOf);
    const [staying, going] = [true, false].map((stays) =>
      before.filter(({ change }) => texts.includes(textOf(change)) === stays),
    ) as [Kept[], Kept[]];
    for (const kept of going.reverse()) kept.takeBack();
    const after = changes.map((change, place) => {
      const at = staying.findIndex((kept) => textOf(kept.change) === texts[place]);
      return at < 0 ? new Kept(change) : (staying.splice(at, 1)[0] as Kept);
    });
    this.#slots.delete(slot);
    if (after.length > 0) this.#slots.set(slot, after);
  }

  #ensure(): void {
    const problems: [Problem, string][] = [];
    for (const kept of [...this.#slots.values()].flat()) {
      const problem = kept.ensure();
      if (problem) problems.push([problem, kept.change.target]);
    }
    for (const problem of problems) this.#report(...problem);
  }
}

function textOf(change: Change): string {
  return JSON.stringify(change);
}
