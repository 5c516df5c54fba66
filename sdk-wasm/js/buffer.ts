/** Calls made before the WebAssembly half has started, kept in order, across a page that leaves before that too. */

import { keysUnder } from './browser/entries.ts';
import { type KeyValue, tryWrite } from './browser/storage.ts';
import type { Driver } from './driver/driver.ts';
import { fieldsOf, parseJson } from './json.ts';

const MAX_CALLS = 1_000;

type Method = 'track' | 'identify' | 'reset' | 'setContext';

/** A call of the driver as data. */
export type Call = { [Name in Method]: [Name, ...Parameters<Driver[Name]>] }[Method];

/** A bounded buffer of calls. */
export class CallBuffer {
  readonly #storage: KeyValue | undefined;
  readonly #prefix: string;
  #calls: Call[] = [];

  constructor(storage: KeyValue | undefined, prefix: string) {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  /** Keeps a call; says no when the buffer is full. */
  push(call: Call): boolean {
    return this.#calls.length < MAX_CALLS && this.#calls.push(call) > 0;
  }

  /** Hands out what earlier page loads could not replay, then this page's calls, and forgets both. */
  drain(): Call[] {
    const calls = [...this.#takeSaved(), ...this.#calls];
    this.#calls = [];
    return calls;
  }

  /** Stores the calls of a page that leaves; a page that comes back saves the same calls under the same key. */
  save(id: string): void {
    const kept = this.#calls.filter(([method]) => method !== 'setContext');
    if (kept.length > 0) tryWrite(this.#storage, this.#prefix + id, JSON.stringify(kept));
    this.#calls = this.#calls.filter(([method]) => method === 'setContext');
  }

  #takeSaved(): Call[] {
    const keys = keysUnder(this.#storage, this.#prefix).sort();
    return keys.flatMap((id) => {
      const text = this.#storage?.getItem(this.#prefix + id);
      this.#storage?.removeItem(this.#prefix + id);
      return callsIn(text ?? '');
    });
  }
}

function callsIn(text: string): Call[] {
  const calls = parseJson(text);
  return Array.isArray(calls) ? calls.filter((call) => METHODS.includes(fieldsOf(call)[0])) : [];
}

const METHODS: unknown[] = ['track', 'identify', 'reset'] satisfies Method[];
