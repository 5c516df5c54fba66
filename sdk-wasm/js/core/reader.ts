/** Reads the primitives of the byte interface; everything handed out is a copy. */

import type { Json } from '../context.ts';
import { uuidText } from '../uuid.ts';

// A text may begin with the character that decoders otherwise take for a mark of the encoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of UTF-8 bytes. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** One output as it is read. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether everything has been read. */
  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  flag(): boolean {
    return this.byte() === 1;
  }

  count(): number {
    let count = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte();
      count += (byte & 127) * unit;
      if (byte < 128) return count;
    }
  }

  float(): number {
    const { buffer, byteOffset } = this.#take(8);
    return new DataView(buffer, byteOffset).getFloat64(0, true);
  }

  uuid(): string {
    return uuidText(this.#take(16));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#take(this.count()));
  }

  text(): string {
    return textOf(this.#take(this.count()));
  }

  option<Value>(read: () => Value): Value | undefined {
    return this.flag() ? read() : undefined;
  }

  list<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.count() }, read);
  }

  value(): Json {
    const kind = this.byte();
    if (kind < 3) return kind === 0 ? null : kind === 2;
    if (kind === 3) return this.float();
    if (kind === 4) return this.text();
    if (kind === 5) return this.list(() => this.value());
    return Object.fromEntries(this.list(() => [this.text(), this.value()]));
  }

  #take(length: number): Uint8Array {
    const from = this.#at;
    this.#at += length;
    // A core that breaks the contract must not be followed for ever.
    if (this.#at > this.#bytes.length) throw new RangeError('the output of the core ends early');
    return this.#bytes.subarray(from, this.#at);
  }
}
