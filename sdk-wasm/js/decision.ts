/** What fills a slot, and the values that it gives. */

import type { Json, JsonObject } from './context.ts';

/** What fills a slot, and why. */
export interface Decision {
  /** The slot. */
  slot: string;
  /** Id of the rule that fills it. */
  rule: string;
  /** The key it holds for, where its rule counts by key. */
  key?: string;
  /** Why it holds: `level` by state, `latched` since an event. */
  reason: 'level' | 'latched';
  /** Since when it fills the slot on this page, RFC 3339. */
  since: string;
  /** The values it gives to app code, by name. */
  variables: JsonObject;
}

/**
 * The value that decisions give a name; the fallback where none does or its type is another. Where several slots give it
 * one, the first slot by name counts.
 */
export function variableIn(
  decisions: Iterable<Pick<Decision, 'slot' | 'variables'>>,
  name: string,
  fallback: Json,
): Json {
  const giving = [...decisions].filter(({ variables }) => Object.hasOwn(variables, name));
  const value = giving.sort((a, b) => (a.slot < b.slot ? -1 : 1))[0]?.variables[name];
  const isSameType = fallback === null || typeof value === typeof fallback;
  return value !== undefined && isSameType ? value : fallback;
}
