/** UUIDv7 ids that grow within a page load, even within one millisecond (RFC 9562, section 6.2, method 1). */

const COUNTER_LIMIT = 0xfff;
const BYTES = 16;

/** Random bytes for the next ids: asking for some costs more than making an id of them. */
const pool = new Uint8Array(64 * BYTES);
const hexOf = Array.from({ length: 256 }, (_, byte) => (byte + 256).toString(16).slice(1));
let used = pool.length;
let lastMs = 0;
let counter = 0;

/** Makes an id whose time is `ms`, or the time of the id before where the clock has been set back. */
export function uuidV7(ms: number): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + BYTES);
  used += BYTES;
  const [, , , , , , sixth = 0, seventh = 0, eighth = 0] = bytes;
  if (ms > lastMs) {
    lastMs = ms;
    counter = ((sixth & 7) << 8) | seventh;
  } else if (++counter > COUNTER_LIMIT) {
    lastMs += 1;
    counter = 0;
  }
  // Bit operators end at 2^32.
  for (let place = 5, rest = lastMs; place >= 0; place -= 1, rest = Math.floor(rest / 256))
    bytes[place] = rest;
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter;
  bytes[8] = (eighth & 0x3f) | 0x80;
  return uuidText(bytes);
}

/** The text form of an id's 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  let text = '';
  for (let place = 0; place < BYTES; place += 1) {
    if (place === 4 || place === 6 || place === 8 || place === 10) text += '-';
    text += hexOf[bytes[place] as number];
  }
  return text;
}

/** Whether a text is an id in its text form. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

/** The wall time in an id of version 7. */
export function uuidMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
