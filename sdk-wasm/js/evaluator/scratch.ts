/** Values into the core's scratch, in the packed form of docs/core-abi.md. */

import type { Json } from '../context.ts';
import { coreModule, EvaluatorError } from '../core-module.ts';

/** Kinds of packed values. */
const [NULL, FALSE, TRUE, NUMBER, TEXT, LIST, OBJECT] = [0, 1, 2, 3, 4, 5, 6];
/** Bytes that a kind, a count and a number take at most. */
const MARGIN = 16;
/** Most bytes of UTF-8 for one code unit of UTF-16. */
const UNIT = 3;
/** Largest count that takes one byte. */
const SHORT = 127;

/** Objects and lists that a value may have within each other. */
export const MAX_DEPTH = 32;
/** What is thrown at a value that the core cannot read. */
export const UNREADABLE = new EvaluatorError('value_invalid', 'no JSON');

const encoder = new TextEncoder();
const number = new Float64Array(1);
const numberBytes = new Uint8Array(number.buffer);
let view = new Uint8Array(0);
let room = 0;
let at = 0;

/** Writes a value and returns how many bytes it takes. */
export function scratchValue(value: Json): number {
  begin();
  pack(value, 0);
  return at;
}

/** Writes bytes and returns how many there are. */
export function scratchBytes(bytes: Uint8Array): number {
  begin();
  reserve(bytes.length);
  view.set(bytes);
  return bytes.length;
}

/** Packs a value that stands within as many objects and lists. */
function pack(value: Json | undefined, within: number): void {
  reserve(MARGIN);
  if (typeof value === 'string') {
    view[at++] = TEXT;
    text(value);
  } else if (typeof value === 'number') {
    view[at++] = NUMBER;
    number[0] = value;
    for (let byte = 0; byte < 8; byte++) view[at++] = numberBytes[byte] as number;
  } else if (typeof value === 'boolean') view[at++] = value ? TRUE : FALSE;
  else if (value === null || value === undefined) view[at++] = NULL;
  else if (typeof value === 'bigint' || within === MAX_DEPTH) throw UNREADABLE;
  else if (Array.isArray(value)) {
    view[at++] = LIST;
    count(value.length);
    for (const item of value) pack(item, within + 1);
  } else {
    view[at++] = OBJECT;
    const names = Object.keys(value);
    count(names.length);
    for (const name of names) {
      text(name);
      pack(value[name], within + 1);
    }
  }
}

/** A text with its length in bytes before it; most are short and ASCII. */
function text(value: string): void {
  reserve(UNIT * value.length + MARGIN);
  const { length } = value;
  if (length <= SHORT) {
    const from = at;
    view[at++] = length;
    for (let unit = 0; unit < length; unit++) {
      const code = value.charCodeAt(unit);
      if (code > 127) {
        at = from;
        wideText(value);
        return;
      }
      view[at++] = code;
    }
  } else wideText(value);
}

function wideText(value: string): void {
  // The count stands before the text and is known after it.
  const from = at + 5;
  const { written } = encoder.encodeInto(value, view.subarray(from));
  count(written);
  view.copyWithin(at, from, from + written);
  at += written;
}

function count(value: number): void {
  let rest = value;
  for (; rest > 127; rest >>>= 7) view[at++] = (rest & 127) | 128;
  view[at++] = rest;
}

/** Begins anew; the core's memory may have moved since the last value. */
function begin(): void {
  at = 0;
  if (view.buffer !== coreModule().memory.buffer) room = 0;
}

/** Makes room behind what is written. */
function reserve(more: number): void {
  if (at + more <= room) return;
  const { memory, scratch } = coreModule();
  room = Math.max(2 * (at + more), 1_024);
  const address = scratch(room);
  if (address === 0) throw new EvaluatorError('too_large', `${room} bytes are too many for one call`);
  view = new Uint8Array(memory.buffer, address, room);
}
