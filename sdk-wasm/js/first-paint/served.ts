/** Decisions that the server has written into the page, in the form in which an evaluator gives them. */

import type { Action } from '../core/action.ts';
import { fieldsOf, parseJson } from '../json.ts';
import type { Painted } from './contract.ts';

/** Id of the element whose text they are. */
const ELEMENT = 'attune-decisions';

/** The fields of each kind of action, in their order. */
const FIELDS: Record<Action[0], string> = {
  text: 'target value',
  attribute: 'target name value',
  class: 'target add remove',
  style: 'target property value',
  hide: 'target',
  show: 'target',
  variable: 'name value',
};

/** The decisions in the page; nothing where it has none. What cannot be read is left out. */
export function readServed(): Painted[] {
  const found = parseJson(document.getElementById(ELEMENT)?.textContent ?? '');
  return Array.isArray(found) ? found.flatMap(paintedOf) : [];
}

function paintedOf(decision: unknown): Painted[] {
  const { slot, rule, key, reason, actions } = fieldsOf(decision);
  if (typeof slot !== 'string' || typeof rule !== 'string' || !Array.isArray(actions)) return [];
  const read = actions.flatMap((action) => {
    const fields = fieldsOf(action);
    const names = FIELDS[fields.kind as Action[0]];
    return names ? [[fields.kind, ...names.split(' ').map((name) => fields[name] ?? [])] as Action] : [];
  });
  return [
    [slot, [rule, (key as string | null) ?? undefined, Number(reason === 'latched'), Date.now(), read]],
  ];
}
