/** Writes inputs of the byte interface into one buffer that grows. */

import type { Json } from '../context.ts';
import { fieldsOf } from './form.ts';

const encoder = new TextEncoder();
/** Most bytes that a field takes, texts and other bytes aside. */
const MARGIN_BYTES = 16;
/** Texts from this length on go through the encoder; the count of a shorter one is a byte. */
const MAX_SHORT = 128;
const ASCII = /^[\0-\x7f]*$/;
let bytes = new Uint8Array(1_024);
let view = new DataView(bytes.buffer);
let at = 0;

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length;
}

/** Writes times, then values in their form. What it gives is good until the next call. */
export function write(form: string, values: unknown[], ...times: number[]): Uint8Array {
  at = 0;
  times.forEach(float);
  writeAll(form, values);
  return bytes.subarray(0, at);
}

function writeAll(form: string, values: unknown[]): void {
  let next = 0;
  for (const [kind, rest] of fieldsOf(form)) {
    reserve(MARGIN_BYTES);
    if (kind === 'x') raw(crypto.getRandomValues(new Uint8Array(8)));
    else if (kind < ':' && kind >= '0') byte(Number(kind));
    else writers[kind]?.(values[next++] as never, rest);
  }
}

const writers: Record<string, (value: never, rest: string) => void> = {
  '?'(value: unknown, rest) {
    const isPresent = value !== undefined && value !== null;
    byte(Number(isPresent));
    if (isPresent) writeAll(rest, [value]);
  },
  '*'(items: unknown[], rest) {
    count(items.length);
    for (const item of items) writeAll(rest, [item]);
  },
  '('(values: unknown[], rest) {
    writeAll(rest, values);
  },
  b: (value: number | boolean) => byte(Number(value)),
  n: count,
  f: float,
  u(id: string) {
    for (let place = 0, left = 16; left > 0; place += 2, left -= 1) {
      if (id[place] === '-') place += 1;
      byte(digitAt(id, place) * 16 + digitAt(id, place + 1));
    }
  },
  t: text,
  y: sized,
  r: raw,
  v(value: Json) {
    if (value === null) byte(0);
    else if (typeof value === 'boolean') byte(value ? 2 : 1);
    else if (typeof value === 'number') writeAll('3f', [value]);
    else if (typeof value === 'string') writeAll('4t', [value]);
    else if (Array.isArray(value)) writeAll('5*v', [value]);
    else {
      const names = Object.keys(value);
      byte(6);
      count(names.length);
      for (const name of names) {
        text(name);
        writeAll('v', [value[name]]);
      }
    }
  },
};

function byte(value: number): void {
  bytes[at++] = value;
}

/** A hexadecimal digit; zero where the text has ended. */
function digitAt(text: string, place: number): number {
  const code = text.charCodeAt(place);
  return (code & 15) + (code > 64 ? 9 : 0);
}

/** Bit operators end at 2^32. */
function count(value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) byte((rest % 128) + 128);
  byte(rest);
}

function float(value: number): void {
  view.setFloat64(at, value, true);
  at += 8;
}

function text(value: string): void {
  if (value.length >= MAX_SHORT || !ASCII.test(value)) {
    sized(encoder.encode(value));
    return;
  }
  // A loop is faster than the encoder.
  reserve(MAX_SHORT);
  byte(value.length);
  for (let place = 0; place < value.length; place += 1) byte(value.charCodeAt(place));
}

function sized(value: Uint8Array): void {
  count(value.length);
  raw(value);
}

function raw(value: Uint8Array): void {
  reserve(value.length + MARGIN_BYTES);
  bytes.set(value, at);
  at += value.length;
}

function reserve(more: number): void {
  if (at + more <= bytes.length) return;
  const before = bytes;
  bytes = new Uint8Array(2 * (at + more));
  bytes.set(before);
  view = new DataView(bytes.buffer);
}
