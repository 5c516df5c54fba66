/** Decisions as the page and its code take them. */

import type { Action, Variable } from '../core/action.ts';
import type { Filling } from '../core/effects.ts';
import type { Decision } from '../decision.ts';
import type { Change } from '../dom/change.ts';
import { timestampOf } from './batch.ts';

/** The changes a decision makes to the page; none for an empty slot. */
export function changesOf(filling: Filling | undefined): Change[] {
  return (filling?.[4] ?? []).filter((action): action is Change => !isVariable(action));
}

/** A decision in the form of the public API. */
export function decisionOf(slot: string, [rule, key, isLatched, sinceMs, actions]: Filling): Decision {
  return {
    slot,
    rule,
    ...(key !== undefined && { key }),
    reason: isLatched ? 'latched' : 'level',
    since: timestampOf(sinceMs),
    variables: Object.fromEntries(actions.filter(isVariable).map(([, name, value]) => [name, value])),
  };
}

function isVariable(action: Action): action is Variable {
  return action[0] === 'variable';
}
