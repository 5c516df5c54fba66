/** What localStorage has, which the loader never asks. */

/** Every key of localStorage that begins so, without that beginning. */
export function keysUnder(prefix: string): string[] {
  try {
    const keys = Object.keys(window.localStorage).filter((key) => key.startsWith(prefix));
    return keys.map((key) => key.slice(prefix.length));
  } catch {
    return [];
  }
}
