/** UUIDv7 ids that grow within a page load, even within one millisecond (RFC 9562, section 6.2, method 1). */

const RANDOM_BYTES_PER_ID = 10;
const COUNTER_LIMIT = 0xfff;

const pool = new Uint8Array(RANDOM_BYTES_PER_ID * 32);
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
let used = pool.length;
let lastMs = 0;
let counter = 0;

/** Makes an id whose time is `ms`, or the time of the id before where the clock has been set back. */
export function uuidV7(ms: number): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const at = used;
  used += RANDOM_BYTES_PER_ID;
  if (ms > lastMs) {
    lastMs = ms;
    counter = ((byteAt(at) & 7) << 8) | byteAt(at + 1);
  } else if (++counter > COUNTER_LIMIT) {
    lastMs += 1;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const count = (0x7000 | counter).toString(16);
  pool[at + 2] = (byteAt(at + 2) & 0x3f) | 0x80;
  return grouped(time + count + hexText(pool.subarray(at + 2, used)));
}

/** The text form of an id's 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  return grouped(hexText(bytes));
}

/** Whether a text is an id in its text form. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

/** The wall time in an id of version 7. */
export function uuidMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function grouped(hex: string): string {
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => hexOf[byte]).join('');
}

function byteAt(index: number): number {
  return pool[index] as number;
}
