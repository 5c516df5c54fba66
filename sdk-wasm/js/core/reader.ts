/** Reads outputs of the byte interface; everything handed out is a copy. */

import type { Json } from '../context.ts';
import { uuidText } from '../uuid.ts';
import { readAction } from './action.ts';
import { type Field, fieldsOf } from './form.ts';

// A text may begin with the character that decoders otherwise take for a mark of the encoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of UTF-8 bytes. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Reads the values of a form; nothing at the end of the bytes. */
export type Read = (form: string) => unknown[] | undefined;

/** Reads bytes from their beginning. */
export function readerOf(bytes: Uint8Array): Read {
  let at = 0;
  const endEarly = () => {
    throw new RangeError('it ends early');
  };
  const byte = () => bytes[at++] ?? endEarly();
  const take = (length: number) => {
    const from = at;
    at += length;
    return at > bytes.length ? endEarly() : bytes.slice(from, at);
  };
  const count = () => {
    let sum = 0;
    for (let unit = 1; ; unit *= 128) {
      const next = byte();
      sum += (next & 127) * unit;
      if (next < 128) return sum;
    }
  };
  const read = (form: string) => fieldsOf(form).map(readField);
  const readOne = (form: string) => read(form)[0];
  const readField = ([kind, rest]: Field): unknown => {
    if (kind === 'n') return count();
    if (kind === 'f') return new DataView(take(8).buffer).getFloat64(0, true);
    if (kind === '?') return byte() ? readOne(rest) : undefined;
    if (kind === '*') return Array.from({ length: count() }, () => readOne(rest));
    if (kind === '(') return read(rest);
    if (kind === 'u') return uuidText(take(16));
    if (kind === 't') return textOf(take(count()));
    if (kind === 'y') return take(count());
    if (kind === 'v') return value();
    if (kind === 'a') return readAction(byte(), read);
    return byte();
  };
  const value = (): Json => {
    const kind = byte();
    if (kind < 3) return kind ? kind === 2 : null;
    const found = readOne(['f', 't', '*v', '*(tv)'][kind - 3] as string) as Json;
    return kind === 6 ? Object.fromEntries(found as unknown as [string, Json][]) : found;
  };
  return (form) => (at < bytes.length ? read(form) : undefined);
}
