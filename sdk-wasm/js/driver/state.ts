/** What is stored of a visitor beside events: who it is, and what the core keeps between page loads. */

import type { Change } from '../browser/database.ts';

/** Key of the `anonymous_id`. */
export const MEMBER = 'member';
/** Key of the session. */
export const SESSION = 'session';
/** Set where requests have been blocked: beside the member, where a page finds it before it asks anything. */
export const BLOCKED = 'blocked';
/** Key of what the next page may paint. */
export const DECISIONS = 'decisions';
/** Set where the bundle in effect has a filter policy, so that the next page waits for it. */
export const POLICY = 'policy';
/** Key of the granted purposes, by bits, for pages that come back. */
export const GRANTED = 'granted';
/** Key of the member token. */
export const TOKEN = 'token';
/** Key of the last value of the visitor's cookie that has named who is here. */
export const SEEN = 'cookie';
/** The visitor's cookie, up to its value. */
export const VISITOR_COOKIE = 'attune_visitor=';
/** Key of the bundle in effect. */
export const BUNDLE_ENTRY = 'bundle';
/** Keys under which the core stores something of its own, by its numbers. */
export const ENTRIES = ['base', 'latches', 'user'] as const;

/** What was stored, in the kinds in which it is. */
export interface State {
  member: string | undefined;
  base: Uint8Array | undefined;
  latches: Uint8Array | undefined;
  user: string | undefined;
  bundle: Uint8Array | undefined;
}

/**
 * Picks the state out of what is stored; a value of another kind is none, and so is what is of another member than the one
 * asked for: whoever has come may not have been stored yet.
 */
export function stateIn(stored: Change[], member?: string): State {
  const state = new Map(stored.map(([key, value]) => [key.toString(), value]));
  if (member && (state.get(MEMBER) ?? member) !== member) state.clear();
  const text = (key: string) => {
    const value = state.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const bytes = (key: string) => {
    const value = state.get(key);
    return value instanceof Uint8Array ? value : undefined;
  };
  return {
    member: text(MEMBER),
    base: bytes('base'),
    latches: bytes('latches'),
    user: text('user'),
    bundle: bytes(BUNDLE_ENTRY),
  };
}
