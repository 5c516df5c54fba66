/** Decisions that the server has written into the page, in the form in which an evaluator gives them. */

import { fieldsOf, parseJson } from '../json.ts';
import { actionsIn, listed } from './actions.ts';
import type { Painted } from './contract.ts';

/** Id of the element whose text they are. */
const ELEMENT = 'attune-decisions';

/**
 * The decisions in the page; nothing where it has none. What is no decision is left out, and `unread` hears of it, as of
 * one of whose actions not all can be made; of nothing where the whole is no list.
 */
export function readServed(unread: (value: unknown) => void): Painted[] {
  const text = document.getElementById(ELEMENT)?.textContent ?? '[]';
  const found = parseJson(text);
  return (Array.isArray(found) ? found : [undefined]).flatMap((decision) => {
    const { slot, rule, key, reason, actions } = fieldsOf(decision);
    if (typeof slot === 'string' && typeof rule === 'string' && Array.isArray(actions)) {
      const read = actionsIn(actions.map(listed));
      if (read.length < actions.length) unread(decision);
      return [
        [slot, [rule, (key as string | null) ?? undefined, Number(reason === 'latched'), Date.now(), read]],
      ];
    }
    // An evaluator names empty slots as well.
    if (rule !== null) unread(decision);
    return [];
  });
}
