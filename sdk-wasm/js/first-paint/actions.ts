/** Actions that come from outside: out of the storage, or from a server. */

import type { Action } from '../core/action.ts';
import { fieldsOf } from '../json.ts';

/**
 * The fields of each kind of action that is painted before the core is there, in their order, each with its type: text,
 * list of texts, such a list that begins with a rare kind which need not happen once, or any value.
 */
const FIELDS: Record<Action[0], string> = {
  text: 'target:t value:t',
  attribute: 'target:t name:t value:t',
  class: 'target:t add:l remove:l',
  style: 'target:t property:t value:t',
  hide: 'target:t',
  show: 'target:t',
  variable: 'name:t value:v',
  further: 'target:t texts:r filled:l',
};

/** The actions among some values, each a list of its kind and its fields. */
export function actionsIn(values: unknown): Action[] {
  return Array.isArray(values) ? values.filter(isAction) : [];
}

/** An action in the form of rule files as a list of its kind and its fields; a list that is missing is empty. */
export function listed(action: unknown): unknown[] {
  const fields = fieldsOf(action);
  return [
    fields.kind,
    ...formOf(fields.kind).map(([name, type]) => fields[name] ?? (type === 'l' ? [] : undefined)),
  ];
}

function formOf(kind: unknown): [name: string, type: string][] {
  const form = Object.hasOwn(FIELDS, String(kind)) ? FIELDS[kind as keyof typeof FIELDS] : '';
  return form.split(' ').map((field) => field.split(':') as [string, string]);
}

function isAction(value: unknown): value is Action {
  if (!Array.isArray(value)) return false;
  const [kind, ...fields] = value as unknown[];
  const form = formOf(kind);
  return form.length === fields.length && form.every(([, type], place) => isOf(fields[place], type));
}

function isOf(value: unknown, type: string | undefined): boolean {
  if (type === 'r') return isOf(value, 'l') && /^(insert|html|reorder),/.test(String(value));
  if (type === 'l') return Array.isArray(value) && value.every((item) => isOf(item, 't'));
  return type === 'v' ? value !== undefined : type === 't' && typeof value === 'string';
}
