/** The visitor of an evaluator: attributes in, changed decisions out. */

import type { Json } from '../context.ts';
import { answer, coreModule as core, putText, refused } from '../core-module.ts';
import { scratchBytes, scratchValue } from './scratch.ts';

/** What fills a slot of the visitor; `rule` is null where it is empty. */
export interface VisitorDecision {
  readonly slot: string;
  readonly rule: string | null;
  readonly key: string | null;
  readonly reason: 'level' | 'latched' | null;
  /** The rule's changes to the page, in the form of rule files. */
  readonly actions: readonly Record<string, unknown>[];
}

/** What the host knows of a visitor. */
export interface Attributes {
  traits?: Record<string, Json>;
  context?: Record<string, Json>;
}

/** Why a rule holds or not. */
export interface Explanation {
  rule: string;
  holds: boolean;
  /** Stable name of the reason: `level`, `latched`, `not_matched`, `not_latched`, `cap_reached`, … */
  reason: string;
  /** The parts of the condition that are not met, with what was found. */
  unmet?: readonly { path?: string; found?: Json; signal?: string; key?: string | null; group?: true }[];
  /** The rule that holds the slot instead. */
  winner?: string;
  /** Why an inactive rule takes no part. */
  why?: string;
  since?: string;
  until?: string | null;
}

interface Names {
  slots: string[];
  rules: {
    id: string;
    slot: string | null;
    variables: string[];
    actions?: VisitorDecision['actions'];
  }[];
}

const NOTHING: readonly VisitorDecision[] = Object.freeze([]);
const encoder = new TextEncoder();

/** Keeps the decisions of one visitor as they change. */
export class Visitor {
  readonly #handle: number;
  readonly #slots: readonly VisitorDecision[];
  /** By rule: the decision for it, where it is the same for everybody. */
  readonly #fixed: readonly (VisitorDecision | undefined)[];
  readonly #current: VisitorDecision[];
  readonly #paths = new Map<string, number>();
  readonly #listeners = new Set<{ call: (changed: readonly VisitorDecision[]) => void }>();
  readonly #variables: ReadonlySet<string>;
  #pairs = new Uint32Array(0);

  constructor(handle: number, member: string) {
    this.#handle = handle;
    const { slots, rules } = answer<Names>(core(), core().evaluator_names(handle));
    const empty = (slot: string) => ({ slot, rule: null, key: null, reason: null, actions: [] });
    this.#slots = slots.map((slot) => Object.freeze(empty(slot)));
    this.#fixed = rules.map(({ id, slot, actions }) =>
      actions && slot !== null
        ? Object.freeze({ slot, rule: id, key: null, reason: 'level' as const, actions })
        : undefined,
    );
    this.#variables = new Set(rules.flatMap(({ variables }) => variables));
    this.#current = [...this.#slots];
    core().visitor_name(handle, putText(core(), member));
  }

  set(attributes: Attributes): readonly VisitorDecision[] {
    return this.#take(core().visitor_set(this.#handle, scratchValue(attributes as Json)));
  }

  change(path: string, value: Json): readonly VisitorDecision[] {
    const known = this.#paths.get(path) ?? this.#enter(path);
    return this.#take(
      typeof value === 'number'
        ? core().visitor_change_number(this.#handle, known, value)
        : core().visitor_change(this.#handle, known, scratchValue(value)),
    );
  }

  at(ms: number): readonly VisitorDecision[] {
    return this.#take(core().visitor_time(this.#handle, ms));
  }

  /** Takes in what the visitor's events have changed. */
  refresh(): void {
    this.#take(core().visitor_changed(this.#handle));
  }

  onChange(call: (changed: readonly VisitorDecision[]) => void): () => void {
    const listener = { call };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  variables(): string[] {
    return [...this.#variables];
  }

  decide(): VisitorDecision[] {
    return this.#current.filter(({ rule }) => rule !== null);
  }

  explain(rule: string): Explanation {
    return answer(core(), core().visitor_explain(this.#handle, putText(core(), rule)));
  }

  #enter(path: string): number {
    const number = core().visitor_path(this.#handle, scratchBytes(encoder.encode(path)));
    if (number < 0) refused(core());
    this.#paths.set(path, number);
    return number;
  }

  #take(count: number): readonly VisitorDecision[] {
    if (count === 0) return NOTHING;
    if (count < 0) refused(core());
    const { memory, visitor_changes } = core();
    const address = visitor_changes(this.#handle);
    if (this.#pairs.buffer !== memory.buffer) this.#pairs = new Uint32Array(memory.buffer);
    const changed: VisitorDecision[] = [];
    for (let at = 0; at < count; at++) {
      const slot = this.#pairs[address / 4 + 2 * at] ?? 0;
      const rule = this.#pairs[address / 4 + 2 * at + 1] ?? 0;
      const decision = this.#decision(slot, rule);
      if (alike(this.#current[slot], decision)) continue;
      this.#current[slot] = decision;
      changed.push(decision);
    }
    if (changed.length > 0) for (const { call } of this.#listeners) call(changed);
    return changed;
  }

  #decision(slot: number, rule: number): VisitorDecision {
    const same = rule === 0 ? this.#slots[slot] : this.#fixed[rule - 1];
    return same ?? answer(core(), core().visitor_decision(this.#handle, slot));
  }
}

/** Whether nobody could tell two decisions apart; those that are the same for everybody are one object. */
function alike(before: VisitorDecision | undefined, after: VisitorDecision): boolean {
  if (before === after) return true;
  return before?.rule === after.rule && JSON.stringify(before) === JSON.stringify(after);
}
