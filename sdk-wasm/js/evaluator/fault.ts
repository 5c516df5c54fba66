/** What is wrong with a value that could not be handed to the core; looked for only then. */

import { EvaluatorError } from '../core-module.ts';
import { MAX_DEPTH, UNREADABLE } from './scratch.ts';

/** Characters of a place that a message names. */
const MAX_PLACE = 100;

/**
 * The error to throw instead of the one that a call with a value has thrown: the same one, unless it says that the value
 * is unreadable. `name` is that of the value.
 */
export function explained(cause: unknown, code: string, value: unknown, name = ''): unknown {
  if (cause !== UNREADABLE) return cause;
  return new EvaluatorError(code, faultOf(value, name ? [name] : [], []) ?? UNREADABLE.message);
}

function faultOf(value: unknown, names: readonly string[], above: readonly unknown[]): string | undefined {
  if (typeof value === 'bigint') return `${placeOf(names)}expected a value of JSON, not bigint`;
  if (typeof value !== 'object' || value === null) return;
  if (above.includes(value)) return `${placeOf(names)}it contains itself`;
  if (above.length === MAX_DEPTH) return `${placeOf(names)}nested deeper than ${MAX_DEPTH} levels`;
  for (const [name, inner] of Object.entries(value)) {
    const fault = faultOf(inner, [...names, name], [...above, value]);
    if (fault) return fault;
  }
}

function placeOf(names: readonly string[]): string {
  const place = names.join('.');
  return place && `${place.length > MAX_PLACE ? `${place.slice(0, MAX_PLACE)}…` : place}: `;
}
