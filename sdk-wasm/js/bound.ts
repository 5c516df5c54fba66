/** How many calls wait at most for whatever makes them, and which are given up beyond that. */

import type { Call } from './calls.ts';

/** As many as the core's queue has; a character counts as one. */
const MAX_BYTES = 1_024 * 1_024;
/** What a call counts beside its text, so that 1,000 are kept at most. */
const REST_BYTES = 1_048;

type Text = { metadata?: string; priority?: number };

/** Events by their priority; whatever else there is comes behind. */
export const rankOf = ([, what]: Call) => (what as Text).priority ?? 3;

/** Takes a call in behind the others, and what is too much then out: of the lowest priority the oldest, which `lose` hears of. */
export function keepWithin(calls: Call[], call: Call, lose: (call: Call) => void): void {
  calls.push(call);
  while (
    calls.reduce((sum, [, what]) => sum + REST_BYTES + `${(what as Text).metadata ?? what}`.length, 0) >
    MAX_BYTES
  ) {
    const victim = calls.reduce((least, call) => (rankOf(call) < rankOf(least) ? call : least));
    calls.splice(calls.indexOf(victim), 1);
    lose(victim);
  }
}
