/** Writes the primitives of the byte interface into a buffer that grows and is used again by every input. */

import type { Json } from '../context.ts';

const START_BYTES = 1_024;
/** Most bytes that a number below 2^53 takes as LEB128. */
const MAX_COUNT_BYTES = 8;

const encoder = new TextEncoder();

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** One input as it is written. */
export class Writer {
  #bytes = new Uint8Array(START_BYTES);
  #at = 0;

  /** Begins the next input in the same buffer. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  /** What has been written, until the next input begins. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** A byte or, with a boolean, a flag. */
  byte(value: number | boolean): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = Number(value);
    return this;
  }

  /** A whole number below 2^53. Bit operators end at 2^32. */
  count(value: number): this {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    return this.byte(rest);
  }

  /** A time or any other number as f64. */
  float(value: number): this {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#at += 8;
    return this;
  }

  /** An id in its text form; a text that is none gives zeros for what cannot be read. */
  uuid(text: string): this {
    const digits = text.replaceAll('-', '');
    for (let at = 0; at < 32; at += 2) this.byte(Number.parseInt(digits.slice(at, at + 2), 16));
    return this;
  }

  /** A text behind its count of bytes. */
  text(text: string): this {
    this.#reserve(3 * text.length + MAX_COUNT_BYTES);
    const from = this.#at + 1;
    const { written: length } = encoder.encodeInto(text, this.#bytes.subarray(from));
    // Most texts are so short that their count takes the one byte left for it; others move.
    this.count(length);
    if (this.#at > from) this.#bytes.copyWithin(this.#at, from, from + length);
    this.#at += length;
    return this;
  }

  /** All remaining bytes of the input. */
  rest(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** Bytes behind their count. */
  bytes(bytes: Uint8Array): this {
    return this.count(bytes.length).rest(bytes);
  }

  /** A flag, then what `write` writes where there is a value. */
  option<Value>(value: Value | null | undefined, write: (value: Value) => unknown): this {
    const isPresent = value !== undefined && value !== null;
    this.byte(isPresent);
    if (isPresent) write(value);
    return this;
  }

  /** A count, then every item. */
  list<Item>(items: Item[], write: (item: Item) => unknown): this {
    this.count(items.length);
    items.forEach(write);
    return this;
  }

  /** A JSON value as `JSON.parse` gives it. */
  value(value: Json): this {
    if (value === null) return this.byte(0);
    if (typeof value === 'boolean') return this.byte(value ? 2 : 1);
    if (typeof value === 'number') return this.byte(3).float(value);
    if (typeof value === 'string') return this.byte(4).text(value);
    if (Array.isArray(value)) return this.byte(5).list(value, (item) => this.value(item));
    return this.byte(6).list(Object.entries(value), ([name, field]) => this.text(name).value(field as Json));
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const before = this.#bytes;
    this.#bytes = new Uint8Array(2 * needed);
    this.#bytes.set(before);
  }
}
