/** What a caller hands in, looked at before it goes anywhere; the checks of every call are a few `typeof`. */

import { EvaluatorError } from '../core-module.ts';
import { isObject } from '../json.ts';
import type { Attributes } from './visitor.ts';

/** The furthest instant from 1970 that a date can have, in milliseconds. */
const MAX_TIME_MS = 8.64e15;
const OPTIONS = ['visitor', 'session'];

/** Attributes, or an error that names what about them is none. */
export function attributesOf(given: Attributes): Attributes {
  if (!isObject(given)) throw noAttributes(`expected { traits, context }, not ${kindOf(given)}`);
  for (const name in given) {
    if (name !== 'traits' && name !== 'context') {
      throw noAttributes(`"${name}" is neither traits nor context, the two that there are`);
    }
    const part: unknown = given[name];
    if (part !== undefined && !isObject(part)) {
      throw noAttributes(`${name}: expected an object, not ${kindOf(part)}`);
    }
  }
  return given;
}

/** A text, or an error of a code that names what is to be one. */
export function textOf(given: string, code: string, what: string): string {
  if (typeof given === 'string') return given;
  throw new EvaluatorError(code, `${what}: expected a text, not ${kindOf(given)}`);
}

/** Milliseconds since 1970. */
export function instantOf(given: number): number {
  if (typeof given === 'number' && Math.abs(given) <= MAX_TIME_MS) return given;
  const found = typeof given === 'number' ? given : kindOf(given);
  throw new EvaluatorError('time_invalid', `expected milliseconds since 1970 as a number, not ${found}`);
}

/** Bytes that may be those of a bundle. */
export function bundleOf(given: Uint8Array): Uint8Array {
  // An array of another realm is one as well.
  if (ArrayBuffer.isView(given) && given.BYTES_PER_ELEMENT === 1) return given;
  throw new EvaluatorError(
    'bundle_invalid',
    `expected the bytes of a bundle as a Uint8Array, not ${kindOf(given)}`,
  );
}

/** Options of which there are. */
export function optionsOf(given: object): object {
  if (!isObject(given)) throw new EvaluatorError('option_invalid', `expected options, not ${kindOf(given)}`);
  const unknown = Object.keys(given).find((name) => !OPTIONS.includes(name));
  if (unknown === undefined) return given;
  throw new EvaluatorError('option_unknown', `no option "${unknown}"; known are ${OPTIONS.join(', ')}`);
}

function noAttributes(message: string): EvaluatorError {
  return new EvaluatorError('attributes_invalid', message);
}

function kindOf(given: unknown): string {
  if (given === null) return 'null';
  return Array.isArray(given) ? 'an array' : typeof given;
}
