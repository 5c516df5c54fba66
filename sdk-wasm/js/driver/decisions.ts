/** Decisions as the page and its code take them. */

import type { Action, Variable } from '../core/action.ts';
import type { Filling } from '../core/effects.ts';
import type { Decision } from '../decision.ts';
import type { Change } from '../dom/change.ts';
import { timestampOf } from './batch.ts';

/** The changes a decision makes to the page; none for an empty slot. */
export function changesOf(filling: Filling | undefined): Change[] {
  return (filling?.actions ?? []).filter((action): action is Change => !isVariable(action));
}

/** A decision in the form of the public API. */
export function decisionOf(slot: string, { rule, key, reason, sinceMs, actions }: Filling): Decision {
  const variables = actions.filter(isVariable).map(({ name, value }) => [name, value] as const);
  return {
    slot,
    rule,
    ...(key !== undefined && { key }),
    reason,
    since: timestampOf(sinceMs),
    variables: Object.fromEntries(variables),
  };
}

function isVariable(action: Action): action is Variable {
  return action.kind === 'variable';
}
