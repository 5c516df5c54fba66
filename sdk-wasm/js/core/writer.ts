/** Writes inputs of the byte interface into one buffer that grows. */

import type { Json } from '../context.ts';
import { fieldsOf } from './form.ts';

const encoder = new TextEncoder();
/** Most bytes that a number below 2^53 takes as LEB128. */
const MAX_COUNT_BYTES = 8;
/** Most bytes that a field takes, texts and other bytes aside. */
const MARGIN_BYTES = 16;
const ASCII = /^[\0-\x7f]*$/;
let bytes = new Uint8Array(1_024);
let at = 0;

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length;
}

/** Writes values in their form. What it gives is good until the next call. */
export function write(form: string, values: unknown[]): Uint8Array {
  at = 0;
  writeAll(form, values);
  return bytes.subarray(0, at);
}

function writeAll(form: string, values: unknown[]): void {
  let next = 0;
  for (const field of fieldsOf(form)) {
    if (field === 'x') raw(crypto.getRandomValues(new Uint8Array(8)));
    else if (field < ':' && field >= '0') byte(Number(field));
    else writeOne(field, values[next++] as never);
  }
}

function writeOne(field: string, value: never): void {
  reserve(MARGIN_BYTES);
  writers[field.charAt(0)]?.(value, field.slice(1));
}

const writers: Record<string, (value: never, rest: string) => void> = {
  '?'(value: unknown, rest) {
    const isPresent = value !== undefined && value !== null;
    byte(Number(isPresent));
    if (isPresent) writeOne(rest, value as never);
  },
  '*'(items: unknown[], rest) {
    count(items.length);
    for (const item of items) writeOne(rest, item as never);
  },
  '('(values: unknown[], rest) {
    writeAll(rest, values);
  },
  b: (value: number | boolean) => byte(Number(value)),
  n: count,
  f: float,
  u(id: string) {
    const digits = id.replaceAll('-', '');
    for (let place = 0; place < 32; place += 2)
      byte(digitAt(digits, place) * 16 + digitAt(digits, place + 1));
  },
  t: text,
  y(value: Uint8Array) {
    count(value.length);
    raw(value);
  },
  r: raw,
  v(value: Json) {
    if (value === null) byte(0);
    else if (typeof value === 'boolean') byte(value ? 2 : 1);
    else if (typeof value === 'number') writeAll('3f', [value]);
    else if (typeof value === 'string') writeAll('4t', [value]);
    else if (Array.isArray(value)) writeAll('5*v', [value]);
    else writeAll('6*(tv)', [Object.entries(value)]);
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
  new DataView(bytes.buffer).setFloat64(at, value, true);
  at += 8;
}

function text(value: string): void {
  reserve(3 * value.length + MARGIN_BYTES);
  // The count stands before the text and is known after it.
  const from = at + MAX_COUNT_BYTES;
  const { written } = encoder.encodeInto(value, bytes.subarray(from));
  count(written);
  bytes.copyWithin(at, from, from + written);
  at += written;
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
}
