/** The site's part of localStorage, or nothing where the browser blocks it. */

/** What is needed of `Storage`. */
export type KeyValue = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/** Opens localStorage; private modes and blocked cookies make the access itself throw. */
export function openStorage(): KeyValue | undefined {
  try {
    const storage = window.localStorage;
    const probe = 'attune/probe';
    storage.setItem(probe, '');
    storage.removeItem(probe);
    return storage;
  } catch {
    return undefined;
  }
}

/** Writes, and lets it be where the quota is used up: what is kept here can be made anew. */
export function tryWrite(storage: KeyValue | undefined, key: string, value: string): void {
  try {
    storage?.setItem(key, value);
  } catch {
    // The quota is used up.
  }
}

/** Every stored key that begins so, without that beginning. */
export function keysUnder(storage: KeyValue | undefined, prefix: string): string[] {
  const keys = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '');
  return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}
