/** A provider of OpenFeature's web SDK over decisions. */

import type {
  ErrorCode,
  EvaluationContext,
  JsonValue,
  Provider,
  ProviderEvents as ProviderEventNames,
  ResolutionDetails,
  TrackingEventDetails,
} from '@openfeature/web-sdk';
import type { Json, JsonObject } from '../context.ts';
import { ProviderEvents } from './events.ts';
import { Flags } from './flags.ts';
import type { Source, Subject } from './source.ts';

// OpenFeature's own constants are enums; importing them would bundle its SDK a second time.
const CONFIGURATION_CHANGED = 'PROVIDER_CONFIGURATION_CHANGED' as ProviderEventNames.ConfigurationChanged;
const [FLAG_NOT_FOUND, TYPE_MISMATCH, PROVIDER_FATAL] = [
  'FLAG_NOT_FOUND',
  'TYPE_MISMATCH',
  'PROVIDER_FATAL',
] as ErrorCode[] as [ErrorCode, ErrorCode, ErrorCode];

/** What a provider may be told. */
export interface ProviderOptions {
  /**
   * Variables by flag, where a flag is to have a name of its own. Flags that are listed are known before a rule gives
   * them. Any other flag is the variable of its own name.
   */
  flags?: Readonly<Record<string, string>>;
}

/** Gives flags the values of variables, and says which flags have changed. */
export class AttuneProvider implements Provider {
  readonly metadata = { name: 'attune' } as const;
  readonly runsOn = 'client' as const;
  /** There is one visitor, and so one context. */
  readonly domainScoped = true;
  readonly events = new ProviderEvents();

  readonly #source: Source;
  readonly #flags: Flags;
  #subject: Subject = { id: undefined, traits: {} };
  #isBecoming = false;
  #stop = () => {};

  /** Use `pageProvider` or `evaluatorProvider`. */
  constructor(source: Source, { flags = {} }: ProviderOptions) {
    this.#source = source;
    this.#flags = new Flags(flags);
  }

  /** Settles when decisions are live for this context; changes are told from then on. */
  async initialize(context: EvaluationContext = {}): Promise<void> {
    this.#become(context);
    try {
      await this.#source.ready;
    } catch (cause) {
      const { message } = Object(cause);
      throw Object.assign(new Error(`attune: ${message}`, { cause }), { code: PROVIDER_FATAL });
    }
    this.#flags.know(this.#source.variables());
    this.#flags.update(this.#source.decisions());
    this.#stop();
    this.#stop = this.#source.onChange(() => this.#refresh());
  }

  /** Takes the new context in at once. */
  onContextChange(_before: EvaluationContext, context: EvaluationContext): Promise<void> | void {
    try {
      this.#become(context);
    } catch (cause) {
      // OpenFeature counts promises only: after a plain throw it would never again take a context for settled.
      return Promise.reject(cause);
    } finally {
      this.#refresh();
    }
  }

  /** Ends listening; whatever the provider is over goes on. */
  async onClose(): Promise<void> {
    this.#stop();
  }

  /** Records an event of the page; over an evaluator there is nobody to record it. */
  track(name: string, _context: EvaluationContext, details: TrackingEventDetails): void {
    this.#source.track?.(name, details as JsonObject);
  }

  resolveBooleanEvaluation(flag: string, fallback: boolean): ResolutionDetails<boolean> {
    return this.#resolve(flag, fallback, 'boolean');
  }

  resolveStringEvaluation(flag: string, fallback: string): ResolutionDetails<string> {
    return this.#resolve(flag, fallback, 'string');
  }

  resolveNumberEvaluation(flag: string, fallback: number): ResolutionDetails<number> {
    return this.#resolve(flag, fallback, 'number');
  }

  /** Takes lists and objects for objects. */
  resolveObjectEvaluation<T extends JsonValue>(flag: string, fallback: T): ResolutionDetails<T> {
    return this.#resolve(flag, fallback, 'object');
  }

  #resolve<T>(flag: string, fallback: T, type: string): ResolutionDetails<T> {
    const refuse = (errorCode: ErrorCode, errorMessage: string) => {
      return { value: fallback, reason: 'ERROR', errorCode, errorMessage };
    };
    if (this.#source.isEnded()) return refuse(PROVIDER_FATAL, 'attune has been shut down');
    const found = this.#flags.find(flag);
    if (!found) {
      if (this.#flags.isKnown(flag)) return { value: fallback, reason: 'DEFAULT' };
      return refuse(FLAG_NOT_FOUND, `no rule is known to give "${flag}"`);
    }
    const { value, by } = found;
    if (value === null || typeof value !== type) {
      return refuse(TYPE_MISMATCH, `"${flag}" is ${nameOfType(value)}, not of type ${type}`);
    }
    const flagMetadata = { slot: by.slot, reason: by.reason };
    return { value: value as T, variant: by.rule, reason: 'TARGETING_MATCH', flagMetadata };
  }

  /** What changes on the way from one visitor to the other is nobody's business. */
  #become(context: EvaluationContext): void {
    const before = this.#subject;
    this.#subject = subjectOf(context);
    this.#isBecoming = true;
    try {
      this.#source.become(this.#subject, before);
    } finally {
      this.#isBecoming = false;
    }
  }

  #refresh(): void {
    if (this.#isBecoming) return;
    const flagsChanged = this.#flags.update(this.#source.decisions());
    if (flagsChanged.length > 0) this.events.emit(CONFIGURATION_CHANGED, { flagsChanged });
  }
}

/** A context as JSON, in which dates are texts. */
function subjectOf(context: EvaluationContext): Subject {
  const { targetingKey, ...traits } = JSON.parse(JSON.stringify(context)) as Record<string, Json>;
  if (typeof targetingKey !== 'string' || targetingKey === '') return { id: undefined, traits };
  return { id: targetingKey, traits: { ...traits, id: targetingKey } };
}

function nameOfType(value: Json): string {
  return value === null ? 'null' : typeof value;
}
