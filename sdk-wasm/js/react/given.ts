/** Decisions that a server has made, which stand until the page makes its own. */

import type { Json, JsonObject } from '../context.ts';
import { type Decision, variableIn } from '../decision.ts';

/** What fills a slot; since when, only the page knows. */
export type SlotDecision = Omit<Decision, 'since'>;

/** A decision of a server, in the form in which `decide()` of `attune/evaluator` gives it. */
export interface GivenDecision {
  readonly slot: string;
  /** The rule that fills the slot; null where none does. */
  readonly rule: string | null;
  readonly key?: string | null;
  readonly reason?: 'level' | 'latched' | null;
  /** The rule's changes to the page, in the form of rule files; of these, React takes the variables. */
  readonly actions: readonly { readonly [field: string]: unknown }[];
}

/** What a server has decided. */
export interface Given {
  decision(slot: string): SlotDecision | undefined;
  /** The value that it gives a name, by the rules of `variable` of `Attune`. */
  variable(name: string, fallback: Json): Json;
}

/** Takes a server's decisions in. */
export function openGiven(decisions: readonly GivenDecision[]): Given {
  const all = decisions.flatMap((decision) =>
    decision.rule === null ? [] : [taken(decision, decision.rule)],
  );
  const bySlot = new Map(all.map((decision) => [decision.slot, decision]));
  return {
    decision: (slot) => bySlot.get(slot),
    variable: (name, fallback) => variableIn(all, name, fallback),
  };
}

function taken({ slot, key, reason, actions }: GivenDecision, rule: string): SlotDecision {
  const variables = actions.filter(({ kind }) => kind === 'variable');
  return {
    slot,
    rule,
    ...(typeof key === 'string' && { key }),
    reason: reason ?? 'level',
    variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])) as JsonObject,
  };
}
