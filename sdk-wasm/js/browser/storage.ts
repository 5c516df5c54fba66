/** The site's part of localStorage, as far as the browser and the visitor allow it. */

/** What is needed of `Storage`. */
export interface KeyValue {
  getItem(key: string): string | null;
  /** Writes, and lets it be where the quota is used up: what is kept here can be made anew. */
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Opens localStorage. While it is not `allowed`, nothing is read or written there, but what is there may be removed;
 * private modes and blocked cookies make every
 * access throw, and then nothing is there.
 */
export function openStorage(allowed: () => boolean): KeyValue {
  const use = <Result>(act: (storage: Storage) => Result, isAllowed = allowed()): Result | undefined => {
    try {
      return isAllowed ? act(window.localStorage) : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    getItem: (key) => use((storage) => storage.getItem(key)) ?? null,
    setItem: (key, value) => use((storage) => storage.setItem(key, value)),
    removeItem: (key) => use((storage) => storage.removeItem(key), true),
  };
}
