/** The site's entries in localStorage under a prefix, with queued writes. */

import type { KeyValue } from './storage.ts';
import { timer } from './timer.ts';

/** Longest time a write waits; together they cost one pass over the disk. */
const WRITE_DELAY_MS = 50;

/** Texts by key. Nothing is kept where the browser blocks the store. */
export interface Entries {
  /** Queues a write; the text is asked for when it is written. */
  put(key: string, text: () => string): void;
  /** Queues a removal. */
  delete(key: string): void;
  /** The stored text of a key; writes that wait are not seen. */
  get(key: string): string | undefined;
  /** Every stored key, without the prefix. */
  keys(): string[];
  /** Performs every write that waits. */
  flush(): void;
  /** Performs every write that waits in the next task. */
  flushSoon(): void;
}

/** Opens the entries under a prefix; calls back once when the quota is used up. */
export function openEntries(storage: KeyValue | undefined, prefix: string, filled: () => void): Entries {
  /** Writes that wait, by full key, in their order: a text, or nothing for what is to be removed. */
  const pending = new Map<string, (() => string) | undefined>();
  const due = timer();
  let isFull = false;

  const write = (key: string, text: (() => string) | undefined) => {
    try {
      if (text) storage?.setItem(key, text());
      else storage?.removeItem(key);
    } catch {
      if (!isFull) {
        isFull = true;
        filled();
      }
    }
  };
  const flush = () => {
    due.clear();
    for (const [key, text] of pending) {
      pending.delete(key);
      write(key, text);
    }
  };
  const put = (key: string, text?: () => string) => {
    // Deleted first so that a repeated write moves to the end.
    pending.delete(prefix + key);
    pending.set(prefix + key, text);
    if (!due.isSet()) due.set(WRITE_DELAY_MS, flush);
  };
  return {
    put,
    delete: (key) => put(key),
    get: (key) => storage?.getItem(prefix + key) ?? undefined,
    keys: () => keysUnder(storage, prefix),
    flush,
    flushSoon: () => due.set(0, flush),
  };
}

/** Every stored key that begins so, without that beginning. */
export function keysUnder(storage: KeyValue | undefined, prefix: string): string[] {
  const keys = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '');
  return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}
