/** Calls made before the WebAssembly half has started, kept in order, across a page that leaves before that too. */

import { keysUnder } from './browser/entries.ts';
import { type KeyValue, tryWrite } from './browser/storage.ts';
import type { Driver } from './driver/driver.ts';
import { fieldsOf, parseJson } from './json.ts';

const MAX_CALLS = 1_000;

type Method = 'track' | 'identify' | 'reset' | 'setContext' | 'consent';

/** A call of the driver as data. */
export type Call = { [Name in Method]: [Name, ...Parameters<Driver[Name]>] }[Method];

/** A bounded buffer of calls. */
export interface CallBuffer {
  /** Keeps a call; says no when the buffer is full. */
  push(call: Call): boolean;
  /** Hands out what earlier page loads could not replay, then this page's calls, and forgets both. */
  drain(): Call[];
  /** Stores the calls of a page that leaves; if it comes back, only those of context and consent are still to be made. */
  save(id: string): void;
}

/** An empty buffer that saves under keys of this prefix. */
export function openBuffer(storage: KeyValue | undefined, prefix: string): CallBuffer {
  let calls: Call[] = [];
  const takeSaved = (id: string) => {
    const text = storage?.getItem(prefix + id) ?? '';
    storage?.removeItem(prefix + id);
    return callsIn(text);
  };
  return {
    push: (call) => calls.length < MAX_CALLS && calls.push(call) > 0,
    drain() {
      const all = [...keysUnder(storage, prefix).sort().flatMap(takeSaved), ...calls];
      calls = [];
      return all;
    },
    save(id) {
      const isKept = ([method]: Call) => METHODS.includes(method);
      const kept = calls.filter(isKept);
      if (kept.length > 0) tryWrite(storage, prefix + id, JSON.stringify(kept));
      calls = calls.filter((call) => !isKept(call));
    },
  };
}

function callsIn(text: string): Call[] {
  const calls = parseJson(text);
  return Array.isArray(calls) ? calls.filter((call) => METHODS.includes(fieldsOf(call)[0])) : [];
}

/** What is made anew by every page load is not stored. */
const METHODS: unknown[] = ['track', 'identify', 'reset'] satisfies Method[];
