/** Values into the core's scratch, in the packed form; short texts and numbers without a detour. */

import type { Json } from '../context.ts';
import { write } from '../core/writer.ts';
import { core, EvaluatorError } from './module.ts';

/** Texts up to this length take one byte for it and are written here. */
const SHORT = 127;
const TEXT = 4;
let view = new Uint8Array(0);
let address = 0;

/** Writes a value and returns how many bytes it takes. */
export function scratchValue(value: Json): number {
  if (typeof value === 'string' && value.length <= SHORT && shortText(value)) return value.length + 2;
  return scratchBytes(write('v', [value]));
}

/** Writes bytes and returns how many there are. */
export function scratchBytes(bytes: Uint8Array): number {
  reserve(bytes.length).set(bytes);
  return bytes.length;
}

/** Writes a text if it is ASCII; whether it was. */
function shortText(text: string): boolean {
  const bytes = reserve(SHORT + 2);
  bytes[0] = TEXT;
  bytes[1] = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) return false;
    bytes[at + 2] = code;
  }
  return true;
}

/** The scratch with room for this many bytes; the core's memory may have moved since the last call. */
function reserve(length: number): Uint8Array {
  const { memory, scratch } = core();
  if (view.length < length || view.buffer !== memory.buffer) {
    const room = Math.max(length, 1_024);
    address = scratch(room);
    if (address === 0) throw new EvaluatorError('too_large', `${length} bytes are too many for one call`);
    view = new Uint8Array(memory.buffer, address, room);
  }
  return view;
}
