/** Decisions that the server has written into the page, in the form in which an evaluator gives them. */

import { fieldsOf, parseJson } from '../json.ts';
import { actionsIn, listed } from './actions.ts';
import type { Painted } from './contract.ts';

/** Id of the element whose text they are. */
const ELEMENT = 'attune-decisions';

/** The decisions in the page; nothing where it has none. What cannot be read is left out. */
export function readServed(): Painted[] {
  const found = parseJson(document.getElementById(ELEMENT)?.textContent ?? '');
  return Array.isArray(found) ? found.flatMap(paintedOf) : [];
}

function paintedOf(decision: unknown): Painted[] {
  const { slot, rule, key, reason, actions } = fieldsOf(decision);
  if (typeof slot !== 'string' || typeof rule !== 'string' || !Array.isArray(actions)) return [];
  const read = actionsIn(actions.map(listed));
  return [
    [slot, [rule, (key as string | null) ?? undefined, Number(reason === 'latched'), Date.now(), read]],
  ];
}
