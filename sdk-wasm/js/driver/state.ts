/** What is stored of a visitor beside events: who it is, and what the core keeps between page loads. */

import type { Change } from '../browser/database.ts';
import { fieldsOf } from '../json.ts';

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
/** Key of what the visitor has said of each purpose, for pages that come back. */
export const SAID = 'consent';
/** Key of the member token. */
export const TOKEN = 'token';
/** Key of the last value of the visitor's cookie that has named who is here. */
export const SEEN = 'cookie';
/** The visitor's cookie, up to its value. */
export const VISITOR_COOKIE = 'attune_visitor=';
/** Key of the bundle in effect. */
export const BUNDLE_ENTRY = 'bundle';
/** Keys under which the core stores something of its own, by its numbers, each behind the member that it is of. */
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
 * Picks the state out of what is stored; a value of another kind is none, and so is what is not of the member asked for:
 * pages that have not followed yet go on storing what they have of the visitor before.
 */
export function stateIn(stored: Change[], member?: string): State {
  const state = new Map<unknown, unknown>(stored);
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const bytes = (value: unknown) => (value instanceof Uint8Array ? value : undefined);
  const own = (key: string) => {
    const { 0: of, 1: value } = fieldsOf(state.get(key));
    return of === member ? value : undefined;
  };
  return {
    member: text(state.get(MEMBER)),
    base: bytes(own('base')),
    latches: bytes(own('latches')),
    user: text(own('user')),
    bundle: bytes(state.get(BUNDLE_ENTRY)),
  };
}
