/** The site's entries in localStorage under a prefix, with queued writes. */

import type { KeyValue } from './storage.ts';
import { Timer } from './timer.ts';

/** Longest time a write waits; together they cost one pass over the disk. */
const WRITE_DELAY_MS = 50;

/** Texts by key. Nothing is kept where the browser blocks the store. */
export class Entries {
  readonly #storage: KeyValue | undefined;
  readonly #prefix: string;
  readonly #filled: () => void;
  /** Writes that wait, by full key, in their order: a text, or nothing for what is to be removed. */
  readonly #pending = new Map<string, string | undefined>();
  readonly #timer = new Timer();
  #isFull = false;

  /** Opens the entries under a prefix; calls back once when the quota is used up. */
  constructor(storage: KeyValue | undefined, prefix: string, filled: () => void) {
    this.#storage = storage;
    this.#prefix = prefix;
    this.#filled = filled;
  }

  /** Queues a write. */
  put(key: string, text: string | undefined): void {
    const full = this.#prefix + key;
    // Deleted first so that a repeated write moves to the end.
    this.#pending.delete(full);
    this.#pending.set(full, text);
    if (!this.#timer.isSet) this.#timer.set(WRITE_DELAY_MS, () => this.flush());
  }

  /** Queues a removal. */
  delete(key: string): void {
    this.put(key, undefined);
  }

  /** The stored text of a key; writes that wait are not seen. */
  get(key: string): string | undefined {
    return this.#storage?.getItem(this.#prefix + key) ?? undefined;
  }

  /** Every stored key, without the prefix. */
  keys(): string[] {
    const storage = this.#storage;
    if (!storage) return [];
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
    return keys.filter((key) => key.startsWith(this.#prefix)).map((key) => key.slice(this.#prefix.length));
  }

  /** Performs every write that waits. */
  flush(): void {
    this.#timer.clear();
    for (const [key, text] of this.#pending) {
      try {
        if (text === undefined) this.#storage?.removeItem(key);
        else this.#storage?.setItem(key, text);
      } catch {
        if (this.#isFull) continue;
        this.#isFull = true;
        this.#filled();
      }
    }
    this.#pending.clear();
  }

  /** Performs every write that waits in the next task. */
  flushSoon(): void {
    this.#timer.set(0, () => this.flush());
  }
}
