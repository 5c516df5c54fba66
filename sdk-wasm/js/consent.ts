/** The purposes for which rules may use what is known of a visitor, and what the visitor has said of each. */

import { isObject } from './json.ts';

/** What a visitor has said of a purpose. Only `granted` lets rules that are for it take part. */
export type ConsentState = 'unknown' | 'denied' | 'granted';

/** What a visitor has said of each purpose; a purpose that is left out stays as it was. */
export interface Consent {
  /** Rules that read context and time alone. */
  functional?: ConsentState;
  /** Rules that count and compare. */
  analytics?: ConsentState;
  /** Rules that fit the page to what the visitor has done; a rule that names no purpose is one. */
  personalization?: ConsentState;
}

const PURPOSES = ['functional', 'analytics', 'personalization'];
const STATES: unknown[] = ['unknown', 'denied', 'granted'];

/** Every purpose is granted until somebody says otherwise. */
export const ALL_GRANTED = 7;

/** The bits of the granted purposes after `said` was said on top of `granted`; a text where it cannot be taken. */
export function mergeConsent(granted: number, said: unknown): number | string {
  if (!isObject(said)) return 'must be an object';
  let merged = granted;
  for (const [purpose, state] of Object.entries(said)) {
    const at = PURPOSES.indexOf(purpose);
    if (at < 0) return `has no purpose "${purpose}"; known are ${PURPOSES.join(', ')}`;
    if (state === undefined) continue;
    if (!STATES.includes(state))
      return `of ${purpose} must be one of ${STATES.join(', ')}, not ${typeof state === 'string' ? state : typeof state}`;
    merged = state === 'granted' ? merged | (1 << at) : merged & ~(1 << at);
  }
  return merged;
}
