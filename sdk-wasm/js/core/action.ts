/** The actions of a decision: changes to the page, and values for the page's own code. */

import type { Json } from '../context.ts';
import type { Change } from '../dom/change.ts';

/** A value under a name. */
export type Variable = [kind: 'variable', name: string, value: Json];

/** What a decision does. */
export type Action = Change | Variable;

const FORMS: [Action[0], string][] = [
  ['text', 'tt'],
  ['attribute', 'ttt'],
  ['class', 't*t*t'],
  ['style', 'ttt'],
  ['hide', 't'],
  ['show', 't'],
  ['variable', 'tv'],
];

/** Reads one action of a kind. */
export function readAction(kind: number, read: (form: string) => unknown[]): Action {
  const [name, form] = FORMS[kind] ?? ['further', 't*t*t'];
  return [name, ...read(form)] as Action;
}
