/** What was taken last in this browser, so that a reload cannot be handed what is older. */

import type { KeyValue } from '../browser/storage.ts';
import { parseJson } from '../json.ts';

/** Revision and instant of the last statement, and the revision of the last key set; 0 where there was none. */
export type Known = [revision: number, issuedAtMs: number, keySet: number];

/** One memory for all pages of the site in this browser; where the store is blocked, for this page load. */
export interface Memory {
  /** The highest of each that this page or another one has taken. */
  get(): Known;
  /** Takes a statement in. */
  noteStatement(revision: number, issuedAtMs: number): void;
  /** Takes a key set in. */
  noteKeySet(revision: number): void;
}

/** Opens what is stored under a key. What was taken under other trusted keys does not count. */
export function openMemory(storage: KeyValue, key: string, trust: string): Memory {
  let own: Known = [0, 0, 0];
  const get = (): Known => {
    const stored = read(storage, key);
    if (stored[0] !== trust) return own;
    own = own.map((value, place) => Math.max(value, wholeIn(stored[place + 1]))) as Known;
    return own;
  };
  const note = (...taken: Known) => {
    own = get().map((value, place) => Math.max(value, taken[place] as number)) as Known;
    storage.setItem(key, JSON.stringify([trust, ...own]));
  };
  return {
    get,
    noteStatement: (revision, issuedAtMs) => note(revision, issuedAtMs, 0),
    noteKeySet: (revision) => note(0, 0, revision),
  };
}

function read(storage: KeyValue, key: string): unknown[] {
  try {
    const stored = parseJson(storage.getItem(key) ?? '');
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}

/** What is no whole number was not written here. */
function wholeIn(value: unknown): number {
  return Number.isSafeInteger(value) ? (value as number) : 0;
}
