/** The visitor of an evaluator: attributes in, changed decisions out. */

import { type Consent, grantedBits, NOTHING_SAID } from '../consent.ts';
import { mergeConsent } from '../consent-merge.ts';
import type { Json } from '../context.ts';
import { answer, coreModule as core, EvaluatorError, putText, refused } from '../core-module.ts';
import { attributesOf, instantOf, textOf } from './given.ts';
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

/** A variation that the visitor is newly shown, to be tracked as `attune.exposure` under this id. */
export interface VisitorExposure {
  /** Derived: the page and other servers derive the same one, so the exposure counts once. */
  readonly event_id: string;
  readonly experiment: string;
  readonly variation: string;
  readonly bucket_version: number;
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
  /** The purpose that the visitor has not granted. */
  purpose?: string;
  /** Why an inactive rule takes no part. */
  why?: string;
  since?: string;
  until?: string | null;
  /** How the visitor stands to the experiments that the rule reads. */
  experiments?: readonly {
    experiment: string;
    /** Null outside of the experiment. */
    variation: string | null;
    /** What gave the variation, or kept the visitor out. */
    origin: 'hashed' | 'sticky' | 'forced' | 'previewed' | 'blocked' | 'outside';
  }[];
}

const NOTHING: readonly VisitorDecision[] = Object.freeze([]);
const encoder = new TextEncoder();

/** Keeps the decisions of one visitor as they change. */
export class Visitor {
  /** 0 once it is freed. */
  #handle: number;
  /** By rule: the decision for it that was met first, where it is the same for everybody. */
  #met: (VisitorDecision | undefined)[] = [];
  /** By slot: what was last heard of it, if anything. */
  #current: (VisitorDecision | undefined)[] = [];
  /** By slot: what it says while it is empty, once it has been. */
  #empty: (VisitorDecision | undefined)[] = [];
  /** A bit for each slot that is filled. */
  #filled = new Uint32Array(1);
  readonly #paths = new Map<string, number>();
  readonly #listeners = new Set<{ call: (changed: readonly VisitorDecision[]) => void }>();
  #variables: readonly string[] | undefined;
  #memory = new Uint32Array(0);
  #member: string;
  #said = NOTHING_SAID;
  #isDecided = false;

  /** The `anonymous_id` it goes by. */
  get member(): string {
    return this.#member;
  }

  constructor(handle: number, member: string) {
    this.#handle = handle;
    core().visitor_name(handle, putText(core(), member));
    this.#member = member;
  }

  identify(member: string): readonly VisitorDecision[] {
    const name = textOf(member, 'anonymous_id_invalid', 'anonymousId');
    const changed = this.#take(core().visitor_identify(this.#handle, scratchBytes(encoder.encode(name))));
    this.#member = member;
    return changed;
  }

  set(attributes: Attributes): readonly VisitorDecision[] {
    return this.#take(core().visitor_set(this.#handle, scratchValue(attributesOf(attributes) as Json)));
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
    return this.#take(core().visitor_time(this.#handle, instantOf(ms)));
  }

  wakeAt(): number | null {
    if (!this.#isDecided) this.at(0);
    const at = core().visitor_wake(this.#live());
    return Number.isNaN(at) ? null : at;
  }

  session(id: string): readonly VisitorDecision[] {
    return this.#take(
      core().visitor_session(
        this.#handle,
        scratchBytes(encoder.encode(textOf(id, 'session_invalid', 'session'))),
      ),
    );
  }

  takeExposures(): VisitorExposure[] {
    this.decide();
    return answer(core(), core().visitor_exposures(this.#handle));
  }

  consent(said: Consent): readonly VisitorDecision[] {
    const merged = mergeConsent(this.#said, said);
    if (typeof merged === 'string') throw new EvaluatorError('consent_invalid', `consent: ${merged}`);
    const handle = this.#live();
    this.#said = merged;
    return this.#take(core().visitor_consent(handle, grantedBits(merged)));
  }

  /** Takes in what the visitor's events have changed. */
  refresh(): void {
    this.#take(core().visitor_changed(this.#handle));
  }

  /** Goes over to the bundle that follows, whose slots may have other numbers. */
  renew(): void {
    this.#met = [];
    this.#variables = undefined;
    const count = core().visitor_moved(this.#handle);
    const gone: VisitorDecision[] = [];
    if (count >= 0) {
      const first = core().visitor_moves(this.#handle) >>> 2;
      const numbers = this.#words().subarray(first, first + count);
      const before = this.#current;
      this.#current = [];
      this.#empty = [];
      this.#filled.fill(0);
      for (let slot = 0; slot < count; slot++) {
        const then = numbers[slot] as number;
        const decision = then > 0 ? before[then - 1] : undefined;
        if (!decision) continue;
        this.#put(slot, decision);
        before[then - 1] = undefined;
      }
      for (const decision of before) {
        if (decision && decision.rule !== null) gone.push(emptied(decision.slot));
      }
    }
    this.#take(core().visitor_changed(this.#handle), gone);
  }

  onChange(call: (changed: readonly VisitorDecision[]) => void): () => void {
    this.#live();
    if (typeof call !== 'function') throw new EvaluatorError('callback_invalid', 'expected a function');
    const listener = { call };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  variables(): string[] {
    const handle = this.#live();
    this.#variables ??= answer<string[]>(core(), core().evaluator_variables(handle));
    return [...this.#variables];
  }

  decide(): VisitorDecision[] {
    this.#live();
    // Rules without conditions hold before anything is known.
    if (!this.#isDecided) this.at(0);
    const decisions: VisitorDecision[] = [];
    for (let word = 0; word < this.#filled.length; word++) {
      let bits = this.#filled[word] ?? 0;
      for (; bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        decisions.push(this.#current[32 * word + bit] as VisitorDecision);
      }
    }
    return decisions;
  }

  explain(rule: string): Explanation {
    const id = textOf(rule, 'rule_unknown', 'rule');
    return answer(core(), core().visitor_explain(this.#handle, putText(core(), id)));
  }

  /** What a rule would do in its slot, whether it holds or not; nothing for a trigger. */
  preview(rule: string): Pick<VisitorDecision, 'slot' | 'rule' | 'actions'> | null {
    return answer(core(), core().visitor_preview(this.#handle, putText(core(), rule)));
  }

  /** Takes in that the evaluator is freed. */
  end(): void {
    this.#handle = 0;
  }

  #live(): number {
    if (this.#handle === 0) throw new EvaluatorError('handle_unknown', 'the evaluator has been freed');
    return this.#handle;
  }

  #enter(path: string): number {
    const number = core().visitor_path(this.#handle, scratchBytes(encoder.encode(path)));
    if (number < 0) refused(core());
    this.#paths.set(path, number);
    return number;
  }

  #put(slot: number, decision: VisitorDecision): void {
    place(this.#current, slot, decision);
    const [word, bit] = [slot >>> 5, 1 << (slot & 31)];
    if (word >= this.#filled.length) {
      const more = new Uint32Array(2 * word);
      more.set(this.#filled);
      this.#filled = more;
    }
    this.#filled[word] = ((this.#filled[word] ?? 0) & ~bit) | (decision.rule === null ? 0 : bit);
  }

  /** Takes in what differs, besides slots that are there no more. */
  #take(count: number, gone: readonly VisitorDecision[] = NOTHING): readonly VisitorDecision[] {
    this.#isDecided = true;
    if (count === 0 && gone.length === 0) return NOTHING;
    if (count < 0) refused(core());
    const first = core().visitor_changes(this.#handle) >>> 2;
    let words = this.#words();
    const changed = [...gone];
    for (let at = first; at < first + 2 * count; at += 2) {
      const slot = words[at] as number;
      const rule = words[at + 1] as number;
      const before = this.#current[slot];
      let decision = rule === 0 ? this.#emptied(slot, before) : this.#met[rule - 1];
      if (!decision) {
        if (rule === 0) continue;
        decision = this.#ask(slot, rule);
        words = this.#words();
      }
      if (alike(before, decision)) continue;
      this.#put(slot, decision);
      changed.push(decision);
    }
    if (changed.length > 0) for (const { call } of this.#listeners) call(changed);
    return changed;
  }

  /** The memory, which may have moved since the last call. */
  #words(): Uint32Array {
    const { buffer } = core().memory;
    if (this.#memory.buffer !== buffer) this.#memory = new Uint32Array(buffer);
    return this.#memory;
  }

  #ask(slot: number, rule: number): VisitorDecision {
    const found: VisitorDecision = answer(core(), core().visitor_decision(this.#handle, slot));
    if (core().evaluator_fixed(this.#handle, rule - 1) === 1) {
      place(this.#met, rule - 1, Object.freeze(found));
    }
    return found;
  }

  /** What a slot says while it is empty; nothing where it has never said anything. */
  #emptied(slot: number, before: VisitorDecision | undefined): VisitorDecision | undefined {
    const known = this.#empty[slot];
    if (known || !before) return known;
    const made = emptied(before.slot);
    place(this.#empty, slot, made);
    return made;
  }
}

/** Puts an item at a place of a list without holes, which engines read fastest. */
function place<T>(list: (T | undefined)[], at: number, item: T): void {
  while (list.length <= at) list.push(undefined);
  list[at] = item;
}

function emptied(slot: string): VisitorDecision {
  return Object.freeze({ slot, rule: null, key: null, reason: null, actions: [] });
}

/** Whether nobody could tell two decisions apart; those that are the same for everybody are one object. */
function alike(before: VisitorDecision | undefined, after: VisitorDecision): boolean {
  if (before === after) return true;
  return before?.rule === after.rule && JSON.stringify(before) === JSON.stringify(after);
}
