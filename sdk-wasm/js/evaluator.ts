/**
 * The npm entry `attune/evaluator`: the rules over a stream of events, on any host, without a page.
 *
 * It is the same core that decides in pages and in the collector, as `core.wasm` with no imports. Time is what the
 * events say, so equal events give equal firings.
 *
 * ```ts
 * import { Evaluator } from 'attune/evaluator';
 *
 * const evaluator = new Evaluator(readFileSync('bundle'));
 * const { firings, errors } = evaluator.absorb(JSON.stringify(events));
 * evaluator.free();
 * ```
 *
 * In Node (20.16 or later) `core.wasm` is read from beside this file at the first use. Elsewhere, await
 * {@link Evaluator.load} once before.
 */

import type { Consent, ConsentState } from './consent.ts';
import type { Json } from './context.ts';
import {
  answer,
  type CoreModule,
  coreModule,
  loadCore,
  opened,
  put,
  putText,
  takeBytes,
} from './core-module.ts';
import { explained } from './evaluator/fault.ts';
import { bundleOf, instantOf, optionsOf, textOf } from './evaluator/given.ts';
import {
  type Attributes,
  type Explanation,
  Visitor,
  type VisitorDecision,
  type VisitorExposure,
} from './evaluator/visitor.ts';
import { GrowthBookEvaluator } from './growthbook.ts';

export { EvaluatorError } from './core-module.ts';
export {
  condition,
  type GrowthBookEvaluator,
  type GrowthBookExperiment,
  type GrowthBookExperimentResult,
  type GrowthBookFeatureResult,
  type GrowthBookOptions,
  type GrowthBookUrlTarget,
  hash,
  type StickyBucketDocument,
} from './growthbook.ts';
export type { Attributes, Consent, ConsentState, Explanation, VisitorDecision, VisitorExposure };

/** A slot whose decision has changed. */
export interface EvaluatedDecision {
  /** Profile it holds for: `user:<id>`, or `member:<anonymous_id>` for a visitor who is linked to nobody. */
  profile: string;
  slot: string;
  /** The rule that fills the slot now; null when it is empty. */
  rule: string | null;
  key: string | null;
  reason: 'level' | 'latched' | null;
  /** The rule's changes to the page, in the form of rule files. */
  actions: readonly Record<string, unknown>[];
  /** Metadata of the `attune.shown` event to feed back once a capped rule has been shown. */
  shown: { rule: string; key?: string } | null;
}

/** A decision in effect. */
export type CurrentDecision = Pick<EvaluatedDecision, 'slot' | 'rule' | 'key' | 'reason' | 'actions'>;

/** One run of a trigger. */
export interface EvaluatedFiring {
  /** Equal for equal events, so that it can be deduplicated on. */
  id: string;
  rule: string;
  profile: string;
  anonymous_id: string;
  key: string | null;
  /** RFC 3339. */
  at: string;
  /** The event that made it fire, unless time alone did. */
  event_id?: string;
  /** The instant at which time alone made it fire. */
  due_at?: string;
  /** Revision of the bundle that has the rule. */
  bundle_revision: number;
  actions: readonly Record<string, unknown>[];
}

/** An event that was not taken in. */
export interface EvaluationError {
  /** Its place in the array; null where the text is no array at all. */
  index: number | null;
  event_id: string | null;
  /** Stable reason. */
  code: string;
  field: string;
  message: string;
}

/** What a set of events has changed. */
export interface Evaluation {
  accepted: number;
  duplicates: number;
  decisions: EvaluatedDecision[];
  firings: EvaluatedFiring[];
  errors: EvaluationError[];
}

/** Totals over everybody. */
export interface EvaluatorSummary {
  profiles: number;
  events: number;
  firings: number;
  /** Each signal added up over its keys and all profiles. */
  signals: Record<string, number>;
}

/** What an evaluator may be told. */
export interface EvaluatorOptions {
  /**
   * The `anonymous_id` of the visitor whose attributes are set and whose decisions are asked for: whose events count, and
   * what experiments hash unless they say otherwise. {@link Evaluator.identify} names another one.
   *
   * @defaultValue `'visitor'`
   */
  visitor?: string;
  /**
   * The session of that visitor, as {@link Evaluator.session} takes it.
   *
   * @defaultValue The one of the visitor's latest event.
   */
  session?: string;
}

/** Evaluates one bundle; keeps the visitors it has seen in memory until {@link Evaluator.free}. */
export class Evaluator {
  readonly #visitor: Visitor;
  #handle: number;

  /**
   * Makes an evaluator of a bundle envelope, as `GET /v1/bundle` or `attune bundle compile` gives it.
   *
   * @throws {EvaluatorError} `bundle_invalid`, `bundle_…`: no bytes, or bytes that are no bundle. `option_unknown`,
   * `option_invalid`, `session_invalid`. `core_not_loaded` outside of Node without {@link Evaluator.load}.
   */
  constructor(bundle: Uint8Array, options: EvaluatorOptions = {}) {
    const { visitor = 'visitor', session = '' }: EvaluatorOptions = optionsOf(options);
    textOf(visitor, 'option_invalid', 'visitor');
    textOf(session, 'session_invalid', 'session');
    const core = coreModule();
    this.#handle = opened(core, core.evaluator_new(put(core, bundleOf(bundle))));
    this.#visitor = new Visitor(this.#handle, visitor);
    if (session !== '') this.#visitor.session(session);
  }

  /**
   * Loads `core.wasm`: from beside this file, from a URL, or out of the bytes that a host has read by itself. Only the first
   * call loads.
   */
  static load(source?: string | URL | Uint8Array): Promise<void> {
    return loadCore(source);
  }

  /**
   * The bundle that a delta makes of the one it starts from, to be published. Deltas are what
   * `GET /v1/bundle/<sha256>?from=<sha256>` answers where it can, and `attune bundle delta` writes. No signature is looked at:
   * whoever does not trust the bytes verifies what comes out, as a bundle that has come whole.
   *
   * The delta names the bundle it starts from by SHA-256. Whoever asked for it knows that of `bundle`, and may hand it over,
   * 64 hexadecimal digits as behind `from=`: the bundle is not hashed then, which takes most of the time, and a wrong one
   * gives wrong bytes.
   *
   * @throws {EvaluatorError} `bundle_wrong_parent`: a delta from another bundle. `bundle_invalid`, `bundle_…`: no bytes, or
   * bytes that are no delta. `hash_invalid`: no SHA-256.
   */
  static applyDelta(bundle: Uint8Array, delta: Uint8Array, sha256?: string): Uint8Array {
    const core = coreModule();
    // An empty text is no hash, while no text leaves it to the core.
    const known = sha256 === undefined ? '' : textOf(sha256, 'hash_invalid', 'sha256') || ' ';
    const [from, by] = [put(core, bundleOf(bundle)), put(core, bundleOf(delta))];
    const whole = core.bundle_apply(from, by, putText(core, known));
    return takeBytes(core, opened(core, whole));
  }

  /** An evaluator of a GrowthBook payload, as an object or as JSON. */
  static fromGrowthBook(payload: object | string): GrowthBookEvaluator {
    return new GrowthBookEvaluator(payload);
  }

  /** The `anonymous_id` that the visitor goes by. */
  get visitor(): string {
    return this.#visitor.member;
  }

  /**
   * Names another visitor, by `anonymous_id`, of whom the host says the same: attributes, session, consent and time stay, as
   * do callbacks. Returns the slots whose decision differs.
   *
   * @throws {EvaluatorError} `anonymous_id_invalid`: no text, or an empty one.
   */
  identify(anonymousId: string): readonly VisitorDecision[] {
    return this.#visitor.identify(anonymousId);
  }

  /**
   * Replaces everything the host knows of the visitor, and returns the slots whose decision differs. A field that is
   * not given is gone; an attribute hides what the visitor's events say about a trait of its name.
   *
   * @throws {EvaluatorError} `attributes_invalid`: anything but `traits` and `context`, each an object of values of JSON that
   * are nested in 32 levels at most. Nothing changes then.
   */
  set(attributes: Attributes): readonly VisitorDecision[] {
    try {
      return this.#visitor.set(attributes);
    } catch (cause) {
      throw explained(cause, 'attributes_invalid', attributes);
    }
  }

  /**
   * Replaces one value, named by a dotted path below `traits` or `context`, and returns the slots whose decision
   * differs. Only the rules that read it are looked at.
   *
   * @throws {EvaluatorError} `path_unknown`: any other path. `value_invalid`: no value of JSON, or one that is nested deeper
   * than 32 levels.
   */
  change(path: string, value: Json): readonly VisitorDecision[] {
    try {
      return this.#visitor.change(path, value);
    } catch (cause) {
      throw explained(cause, 'value_invalid', value, path);
    }
  }

  /**
   * Moves the visitor's clock, in milliseconds since 1970, and returns the slots whose decision differs.
   *
   * @throws {EvaluatorError} `time_invalid`: no number, or none that a date can have.
   */
  at(ms: number): readonly VisitorDecision[] {
    return this.#visitor.at(ms);
  }

  /**
   * The next instant at which time alone can change a decision of the visitor, in milliseconds since 1970: a window that
   * empties, a schedule that begins, a hold that ends. It is then that {@link Evaluator.at} is to be called; `null` where
   * there is none.
   */
  wakeAt(): number | null {
    return this.#visitor.wakeAt();
  }

  /**
   * Says which session the visitor is in, 1 to 100 characters as events have it in `session_id`, and returns the slots
   * whose decision differs. An empty text leaves that to the visitor's events.
   *
   * @throws {EvaluatorError} `session_invalid`: a longer text, or none.
   */
  session(id: string): readonly VisitorDecision[] {
    return this.#visitor.session(id);
  }

  /**
   * Takes the exposures that are due: the variations that the visitor's decisions in effect have had to read, each once
   * in a session and none that the visitor's events tell of already. Whoever shows the decisions sends each to the
   * collector as an event of type `attune.exposure` with its `event_id`, the visitor's `anonymous_id` and `session_id`,
   * and the other fields as `metadata`; the page that the visitor loads then derives the same ids.
   */
  takeExposures(): VisitorExposure[] {
    return this.#visitor.takeExposures();
  }

  /**
   * Takes in what the visitor has said of each purpose, and returns the slots whose decision differs. A purpose that is
   * left out stays as it was; before, every purpose is granted. Triggers fire whatever is said here.
   *
   * @throws {EvaluatorError} `consent_invalid`: another purpose, or another word for it.
   */
  setConsent(said: Consent): readonly VisitorDecision[] {
    return this.#visitor.consent(said);
  }

  /**
   * Calls back, after the call that did it, with the slots of the visitor whose decision differs. Returns what ends that.
   * What a callback throws is thrown by that call.
   *
   * @throws {EvaluatorError} `callback_invalid`: no function.
   */
  onChange(callback: (changed: readonly VisitorDecision[]) => void): () => void {
    return this.#visitor.onChange(callback);
  }

  /** Names of the variables that the bundle's rules may give, in no order. */
  variables(): string[] {
    return this.#visitor.variables();
  }

  /** The visitor's decisions in effect, in order of slot. */
  decide(): VisitorDecision[] {
    return this.#visitor.decide();
  }

  /**
   * Why a rule holds for the visitor or not.
   *
   * @throws {EvaluatorError} `rule_unknown`.
   */
  explain(rule: string): Explanation {
    return this.#visitor.explain(rule);
  }

  /**
   * Takes a JSON array of events in, each in the form of the wire with its own `anonymous_id`, and returns what they
   * have changed. Events that cannot be taken in are listed in `errors`; the others go on.
   *
   * @throws {EvaluatorError} `events_invalid`: no text, such as the array itself.
   */
  absorb(eventsJson: string): Evaluation {
    textOf(eventsJson, 'events_invalid', 'JSON.stringify(events)');
    const evaluation = this.#ask<Evaluation>((core) =>
      core.evaluator_absorb(this.#handle, putText(core, eventsJson)),
    );
    this.#visitor.refresh();
    return evaluation;
  }

  /**
   * Puts a bundle of a higher revision into effect at an instant, in milliseconds since 1970, and returns what it has
   * changed for those whose events have been absorbed. What is known of everybody stays, as does all that the host has said
   * of the visitor, whose callbacks are told of the slots that differ; those that the bundle lacks are emptied.
   *
   * @throws {EvaluatorError} `bundle_lower_revision`, `bundle_invalid`, `bundle_…`, `time_invalid`: the bundle in effect stays.
   */
  publish(bundle: Uint8Array, atMs: number = Date.now()): Evaluation {
    const at = instantOf(atMs);
    const changed = this.#ask<Evaluation>((core) =>
      core.evaluator_publish(this.#handle, put(core, bundleOf(bundle)), at),
    );
    this.#visitor.renew();
    return changed;
  }

  /** The decisions in effect for anybody whose events have been absorbed, by those alone. */
  decisions(anonymousId: string): CurrentDecision[] {
    const member = textOf(anonymousId, 'anonymous_id_invalid', 'anonymousId');
    return this.#ask((core) => core.evaluator_decisions(this.#handle, putText(core, member)));
  }

  /** Totals over everybody seen. */
  summary(): EvaluatorSummary {
    return this.#ask((core) => core.evaluator_summary(this.#handle));
  }

  /** Forgets everything and releases the memory; every later call but this one throws. */
  free(): void {
    coreModule().evaluator_free(this.#handle);
    this.#handle = 0;
    this.#visitor.end();
  }

  #ask<T>(question: (core: CoreModule) => number): T {
    return answer(coreModule(), question(coreModule()));
  }
}
