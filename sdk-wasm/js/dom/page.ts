/** The changes in effect by slot, kept in place while the page renders anew. */

import { type Change, exchange, type Further, make, setNode, watchedAttribute } from './change.ts';
import { type IsReady, type Kept, keep, type Problem } from './kept.ts';

export type { Problem } from './kept.ts';

/** The document with the changes that slots make to it. */
export interface Page {
  /** Replaces the changes that a slot makes by those of a rule; those that could run code are left out. */
  set(slot: string, changes: Change[], rule?: string): void;
  /** Calls back, at once or when no change waits any more for what makes it. */
  whenMade(act: () => void): void;
  /** Takes every change back. */
  clear(): void;
}

/** Hears what is wrong with a change, in which slot, by which rule. */
export type Report = (problem: Problem, change: Change, slot: string, rule: string | undefined) => void;

/** Loads what makes the changes that few bundles have. */
export type LoadActions = () => Promise<{ keep(change: Further, by: Means): Kept }>;

/** What changes of a page are made with, so that all of them know of each other. */
export type Means = [keepOn: typeof keep, exchange: typeof exchange, setNode: typeof setNode];

/** A page without changes; none is made on an element before it is ready for it. */
export function openPage(report: Report, loadActions?: LoadActions, isReady?: IsReady): Page {
  const slots = new Map<string, Kept[]>();
  const rules = new Map<string, string | undefined>();
  /** Changes of slots that wait for their turn: an element's own code may run while another change is made. */
  const waiting: [slot: string, changes: Change[]][] = [];
  let isBusy = false;
  /** How many changes wait for what makes them, and who waits for those. */
  let late = 0;
  const acts: (() => void)[] = [];

  const observer = new MutationObserver(() => {
    work();
    // What was just done is not to be looked at again.
    observer.takeRecords();
  });
  const all = () => [...slots.values()].flat();

  /** Watches for what the changes in effect need, and for nothing while there are none. */
  const observe = () => {
    observer.disconnect();
    const attributeFilter = all().flatMap(({ change }) => watchedAttribute(change) ?? []);
    if (slots.size)
      observer.observe(document, { childList: true, characterData: true, subtree: true, attributeFilter });
  };

  const work = () => {
    if (isBusy) return;
    isBusy = true;
    do {
      for (const [slot, changes] of waiting.splice(0)) replace(slot, changes);
      for (const [slot, changes] of slots) {
        for (const { change, ensure } of changes) {
          const problem = ensure();
          // What comes behind it finds the page as it leaves it.
          if (problem === 'late') break;
          if (problem) report(problem, change, slot, rules.get(slot));
        }
      }
    } while (waiting.length > 0);
    isBusy = false;
  };

  const keepAny = (change: Change): Kept => {
    if (change[0] !== 'further') return keep(change, make, isReady);
    let kept: Omit<Kept, 'change'> | undefined;
    if (loadActions) late += 1;
    loadActions?.()
      .then(
        (actions) => actions.keep(change, [(one, make) => keep(one, make, isReady), exchange, setNode]),
        (cause) =>
          // Told as what cannot be made, wherever it was to be.
          keep(['hide', 'html'], () => {
            throw cause;
          }),
      )
      .then((made) => {
        kept = made;
        work();
        late -= 1;
        if (!late) for (const act of acts.splice(0)) act();
      });
    return { change, ensure: () => (kept ? kept.ensure() : 'late'), takeBack: () => kept?.takeBack() };
  };

  /** A change that the slot goes on making stays as it is: the page does not flicker. */
  const replace = (slot: string, changes: Change[]) => {
    const before = slots.get(slot) ?? [];
    const after = changes.map((change) => {
      const at = before.findIndex((kept) => JSON.stringify(kept.change) === JSON.stringify(change));
      return at < 0 ? keepAny(change) : (before.splice(at, 1)[0] as Kept);
    });
    for (const kept of before.reverse()) kept.takeBack();
    slots.delete(slot);
    if (after.length > 0) slots.set(slot, after);
  };

  const set = (slot: string, changes: Change[], rule?: string) => {
    rules.set(slot, rule);
    waiting.push([slot, changes]);
    work();
    observe();
  };
  return {
    set,
    whenMade(act) {
      if (late) acts.push(act);
      else act();
    },
    clear() {
      for (const slot of [...slots.keys()]) set(slot, []);
    },
  };
}
