/** Calls made before the WebAssembly half has started, kept in order, across a page that is gone before that too. */

import { keepWithin, rankOf } from './bound.ts';
import type { Key } from './browser/database.ts';
import type { Entries } from './browser/entries.ts';
import type { KeyValue } from './browser/storage.ts';
import { keysUnder } from './browser/stored-keys.ts';
import { type Call, isStoredCall } from './calls.ts';
import { parseJson } from './json.ts';

const CRITICAL = 2;

/** A bounded buffer of calls. */
export interface CallBuffer {
  /** Keeps a call, and stores it under a lane; what is too much then is given up. */
  push(call: Call, lane: () => string): void;
  /** Hands out, and forgets, the calls before the first about the visitor: context and consent, which come before all else. */
  takeLeading(): Call[];
  /** Hands out what pages that are gone could not store elsewhere, then this page's calls, and forgets both. */
  drain(): Call[];
  /** The visitor has turned out to be another one: gives events the session that is theirs. */
  renew(session: (ms: number) => string): void;
  /** Forgets the calls about the visitor. */
  forget(): void;
  /** Stores the calls of a page that leaves; if it comes back, only those of context and consent are still to be made. */
  save(id: string): void;
}

/**
 * An empty buffer; `lose` hears of each call that is given up. What `awaits` a filter that has to judge first is not
 * stored. A page that leaves before its database is open saves under keys of this prefix.
 */
export function openBuffer(
  entries: Entries,
  storage: KeyValue,
  prefix: string,
  awaits: () => boolean,
  lose: () => void,
): CallBuffer {
  let calls: Call[] = [];
  let place = 0;
  const stored = new WeakMap<Call, Key>();
  const unstore = (call: Call) => {
    const key = stored.get(call);
    if (key) entries.delete(key);
  };
  const takeSaved = (id: string) => {
    const saved = parseJson(storage.getItem(prefix + id) ?? '');
    storage.removeItem(prefix + id);
    return Array.isArray(saved) ? saved.filter(isStoredCall) : [];
  };
  const forget = () => {
    calls = calls.filter((call) => !isStoredCall(call));
  };
  return {
    push(call, lane) {
      if (!awaits() && isStoredCall(call)) {
        const key = [lane(), 'call', ++place];
        stored.set(call, key);
        entries.put(key, () => call);
        if (rankOf(call) === CRITICAL) entries.flush('strict');
      }
      keepWithin(calls, call, (gone) => {
        unstore(gone);
        lose();
      });
    },
    takeLeading() {
      const first = calls.findIndex(isStoredCall);
      return calls.splice(0, first < 0 ? calls.length : first);
    },
    drain() {
      const all = [...keysUnder(prefix).sort().flatMap(takeSaved), ...calls];
      // The same transaction stores what becomes of them.
      calls.forEach(unstore);
      calls = [];
      return all;
    },
    renew(session) {
      for (const [method, capture] of calls) {
        if (method === 'track') capture.session = session(capture.ms);
      }
    },
    forget,
    save(id) {
      const kept = calls.filter(isStoredCall);
      if (entries.isOpen()) entries.flush();
      else if (kept.length > 0) storage.setItem(prefix + id, JSON.stringify(kept));
      forget();
    },
  };
}
