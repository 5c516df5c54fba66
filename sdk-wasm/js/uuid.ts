/** UUIDv7 ids that grow within a page load, even within one millisecond (RFC 9562, section 6.2, method 1). */

const COUNTER_LIMIT = 0xfff;

let lastMs = 0;
let counter = 0;

/** Makes an id whose time is `ms`, or the time of the id before where the clock has been set back. */
export function uuidV7(ms: number): string {
  const [first = 0, second = 0, third = 0, ...tail] = crypto.getRandomValues(new Uint8Array(10));
  if (ms > lastMs) {
    lastMs = ms;
    counter = ((first & 7) << 8) | second;
  } else if (++counter > COUNTER_LIMIT) {
    lastMs += 1;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const count = (0x7000 | counter).toString(16);
  return grouped(time + count + hexText([(third & 0x3f) | 0x80, ...tail]));
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

function hexText(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
