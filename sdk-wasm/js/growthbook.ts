/**
 * GrowthBook payloads as they are: `condition`, `hash`, features and experiments with the results that GrowthBook defines, out of
 * the same core that decides everywhere else.
 */

import {
  answer,
  type CoreModule,
  coreModule,
  EvaluatorError,
  opened,
  putText,
  takeBytes,
} from './core-module.ts';

/** Answers of the core to a condition; any other says that it cannot be read. */
const [NO, YES] = [0, 1];

/** Past assignments of one attribute value, as a GrowthBook sticky bucket service keeps them. */
export interface StickyBucketDocument {
  attributeName: string;
  attributeValue: string;
  /** Variation keys by `<experiment>__<bucket version>`. */
  assignments: Record<string, string>;
}

/** What is known about the visitor, and how experiments are to be run. What is left out stays as it is. */
export interface GrowthBookOptions {
  attributes?: Record<string, unknown>;
  /** Put over the attributes. */
  attributeOverrides?: Record<string, unknown>;
  /** The page's address, for targeting and preview. */
  url?: string;
  /** Indices of variations by experiment. */
  forcedVariations?: Record<string, number>;
  /** Values by feature. */
  forcedFeatureValues?: Record<string, unknown>;
  /** Fields put over experiments, by experiment. */
  overrides?: Record<string, Record<string, unknown>>;
  groups?: Record<string, boolean>;
  /** @defaultValue true */
  enabled?: boolean;
  /** Whether experiments give only what is forced. @defaultValue false */
  qaMode?: boolean;
  /** Past assignments by `<attribute>||<value>`; assignments stick where this is given, be it empty. @defaultValue null */
  stickyBucketAssignmentDocs?: Record<string, StickyBucketDocument> | null;
}

/** A pattern over addresses. */
export interface GrowthBookUrlTarget {
  include: boolean;
  type: 'simple' | 'regex';
  pattern: string;
}

/** An experiment in GrowthBook's form; further fields of that form are read as well. */
export interface GrowthBookExperiment {
  key: string;
  variations: readonly unknown[];
  urlPatterns?: readonly GrowthBookUrlTarget[];
  [field: string]: unknown;
}

/** What an experiment gave the visitor. */
export interface GrowthBookExperimentResult {
  value: unknown;
  variationId: number;
  key: string;
  name?: string;
  /** From 0 up to but not including 1. */
  bucket?: number;
  passthrough?: boolean;
  inExperiment: boolean;
  hashUsed: boolean;
  hashAttribute: string;
  hashValue: unknown;
  featureId: string | null;
  stickyBucketUsed: boolean;
}

/** The value of a feature, and where it comes from. */
export interface GrowthBookFeatureResult {
  value: unknown;
  on: boolean;
  off: boolean;
  source:
    | 'unknownFeature'
    | 'defaultValue'
    | 'force'
    | 'override'
    | 'experiment'
    | 'prerequisite'
    | 'cyclicPrerequisite';
  ruleId: string;
  experiment?: GrowthBookExperiment;
  experimentResult?: GrowthBookExperimentResult;
}

/**
 * The bucket of a value, from 0 up to but not including 1, equal to GrowthBook's on every host; null for a version other
 * than 1 and 2. Half a surrogate pair is hashed as U+FFFD, which is what it becomes on the wire.
 */
export function hash(seed: string, value: string, version: number): number | null {
  const core = coreModule();
  const bucket = core.bucket_hash(putText(core, seed), putText(core, value), version);
  return Number.isNaN(bucket) ? null : bucket;
}

/**
 * Whether a condition in GrowthBook's form holds of attributes, judged as GrowthBook judges it. Saved groups, by id,
 * are what `$inGroup` and `$notInGroup` look into.
 *
 * @throws {EvaluatorError} `condition_unreadable`: attributes that are no object, or anything that has no JSON form or
 * goes deeper than the core reads.
 */
export function condition(
  attributes: Record<string, unknown>,
  condition: Record<string, unknown>,
  savedGroups: Record<string, readonly unknown[]> = {},
): boolean {
  const core = coreModule();
  const cases = putText(core, caseText([attributes, condition, savedGroups]));
  const [holds] = takeBytes(core, core.conditions_hold(cases));
  if (holds === YES) return true;
  if (holds === NO) return false;
  throw unreadable('expected an object of attributes and a condition, no deeper than the core reads');
}

/** Evaluates one GrowthBook payload for one visitor at a time. */
export class GrowthBookEvaluator {
  readonly #core: CoreModule;
  #handle: number;
  #url = '';

  /**
   * Reads a payload: `{features, savedGroups, contextualBandits}`, as an object or as JSON.
   *
   * @throws {EvaluatorError} The payload is no JSON object.
   */
  constructor(payload: object | string) {
    this.#core = coreModule();
    const text = typeof payload === 'string' ? payload : wellFormed(payload);
    this.#handle = opened(this.#core, this.#core.growthbook_new(putText(this.#core, text)));
  }

  /** Replaces the visitor's attributes. */
  setAttributes(attributes: Record<string, unknown>): void {
    this.setOptions({ attributes });
  }

  /** Sets what is given; the rest stays as it is. */
  setOptions(options: GrowthBookOptions): void {
    if (options.url !== undefined) this.#url = options.url;
    const refused = this.#core.growthbook_set(this.#handle, putText(this.#core, wellFormed(options)));
    if (refused !== 0) answer(this.#core, refused);
  }

  /** The value of a feature. */
  evalFeature(key: string): GrowthBookFeatureResult {
    return answer(this.#core, this.#core.growthbook_feature(this.#handle, putText(this.#core, key)));
  }

  /** Runs an experiment. */
  run(experiment: GrowthBookExperiment): GrowthBookExperimentResult {
    const { urlPatterns } = experiment;
    const asked = urlPatterns ? { ...experiment, urlPatterns: urlPatterns.map(this.#matched) } : experiment;
    const text = wellFormed(asked);
    return answer(this.#core, this.#core.growthbook_run(this.#handle, putText(this.#core, text)));
  }

  /** Assignments with those that have been added since they were set; null where none stick. */
  get stickyBucketAssignmentDocs(): Record<string, StickyBucketDocument> | null {
    return answer(this.#core, this.#core.growthbook_sticky(this.#handle));
  }

  /** Releases the memory; every later call but this one throws. */
  free(): void {
    this.#core.growthbook_free(this.#handle);
    this.#handle = 0;
  }

  /** Matches a regular expression, whose engine is the host's, and tells the core the answer. */
  readonly #matched = (target: GrowthBookUrlTarget): object => {
    if (target.type !== 'regex') return target;
    return { ...target, matches: matchesAddress(target.pattern, this.#url) };
  };
}

/** Whether an expression matches an address or what follows its origin; none that is no expression does. */
function matchesAddress(pattern: string, url: string): boolean {
  try {
    const { href, origin } = new URL(url, 'https://_');
    const expression = new RegExp(pattern);
    return expression.test(href) || expression.test(href.slice(origin.length));
  } catch {
    return false;
  }
}

/** A single case in the form that the core reads many in. */
function caseText(parts: readonly unknown[]): string {
  try {
    return wellFormed([parts]);
  } catch (cause) {
    throw unreadable(`no JSON form: ${cause}`);
  }
}

function unreadable(message: string): EvaluatorError {
  return new EvaluatorError('condition_unreadable', message);
}

/** A value as JSON in which half a surrogate pair, which JSON can only escape, is U+FFFD. */
function wellFormed(value: object): string {
  const text = JSON.stringify(value);
  return text.replace(/\\(?:u[dD][89a-fA-F]..|.)/g, (one) => (one.length === 6 ? '\\ufffd' : one));
}
