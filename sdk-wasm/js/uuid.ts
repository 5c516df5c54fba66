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
  const variant = hex((byteAt(at + 2) & 0x3f) | 0x80) + hex(byteAt(at + 3));
  let tail = '';
  for (let index = at + 4; index < at + RANDOM_BYTES_PER_ID; index += 1) tail += hex(byteAt(index));
  return `${time.slice(0, 8)}-${time.slice(8)}-${count}-${variant}-${tail}`;
}

function byteAt(index: number): number {
  return pool[index] as number;
}

function hex(byte: number): string {
  return hexOf[byte] as string;
}
