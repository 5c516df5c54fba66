/** What is said of consent, as whoever calls hands it in. */

import { type ConsentState, PURPOSES, type Said } from './consent.ts';
import { isObject } from './json.ts';
import { seen } from './seen.ts';

const STATES: unknown[] = ['unknown', 'denied', 'granted'];

/** What has been said after `said` was said on top of `before`; a text where it cannot be taken. */
export function mergeConsent(before: Said, said: unknown): Said | string {
  if (!isObject(said)) return 'must be an object';
  const merged = { ...before };
  const wrong = (what: string, known: unknown[], found: unknown) =>
    `${what} must be one of ${known.join(', ')}, got ${seen(found)}`;
  for (const [name, state] of Object.entries(said)) {
    const purpose = name as keyof Said;
    if (!PURPOSES.includes(purpose)) return wrong('purpose', PURPOSES, name);
    if (state === undefined) continue;
    if (!STATES.includes(state)) return wrong(name, STATES, state);
    merged[purpose] = state as ConsentState;
  }
  return merged;
}
