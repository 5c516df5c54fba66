/** Calls made before the WebAssembly half has started, kept in order, across a page that is gone before that too. */

import type { Entries } from './browser/entries.ts';
import type { KeyValue } from './browser/storage.ts';
import { keysUnder } from './browser/stored-keys.ts';
import { type Call, isStoredCall } from './calls.ts';
import { parseJson } from './json.ts';

const CRITICAL = 2;
const MAX_CALLS = 1_000;

/** A bounded buffer of calls. */
export interface CallBuffer {
  /** Keeps a call, and stores it under a lane; says no when the buffer is full. */
  push(call: Call, lane: () => string): boolean;
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
 * An empty buffer. What `awaits` a filter that has to judge first is not stored. A page that leaves before its
 * database is open saves under keys of this prefix.
 */
export function openBuffer(
  entries: Entries,
  storage: KeyValue,
  prefix: string,
  awaits: () => boolean,
): CallBuffer {
  let calls: Call[] = [];
  let place = 0;
  let stored: [lane: string, ...place: (string | number)[]][] = [];
  const takeSaved = (id: string) => {
    const saved = parseJson(storage.getItem(prefix + id) ?? '');
    storage.removeItem(prefix + id);
    return Array.isArray(saved) ? saved.filter(isStoredCall) : [];
  };
  return {
    push(call, lane) {
      if (calls.length >= MAX_CALLS) return false;
      calls.push(call);
      if (awaits() || !isStoredCall(call)) return true;
      const key: (typeof stored)[number] = [lane(), 'call', ++place];
      stored.push(key);
      entries.put(key, () => call);
      if (call[0] === 'track' && call[1].priority === CRITICAL) entries.flush('strict');
      return true;
    },
    takeLeading() {
      const first = calls.findIndex(isStoredCall);
      return calls.splice(0, first < 0 ? calls.length : first);
    },
    drain() {
      const all = [...keysUnder(prefix).sort().flatMap(takeSaved), ...calls];
      // The same transaction stores what becomes of them.
      for (const key of stored) entries.delete(key);
      calls = [];
      stored = [];
      return all;
    },
    renew(session) {
      for (const [method, capture] of calls) {
        if (method === 'track') capture.session = session(capture.ms);
      }
    },
    forget() {
      calls = calls.filter((call) => !isStoredCall(call));
      stored = [];
    },
    save(id) {
      const kept = calls.filter(isStoredCall);
      if (entries.isOpen()) entries.flush();
      else if (kept.length > 0) storage.setItem(prefix + id, JSON.stringify(kept));
      calls = calls.filter((call) => !isStoredCall(call));
      stored = [];
    },
  };
}
