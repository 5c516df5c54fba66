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

/** An error of the evaluator, with a stable code. */
export class EvaluatorError extends Error {
  override readonly name = 'EvaluatorError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Core {
  memory: WebAssembly.Memory;
  buffer_new(length: number): number;
  buffer_length(address: number): number;
  buffer_free(address: number): void;
  evaluator_new(bundle: number): number;
  evaluator_absorb(handle: number, events: number): number;
  evaluator_decisions(handle: number, member: number): number;
  evaluator_summary(handle: number): number;
  evaluator_free(handle: number): void;
  last_error(): number;
}

let loaded: Core | undefined;

/** Evaluates one bundle; keeps the visitors it has seen in memory until {@link Evaluator.free}. */
export class Evaluator {
  readonly #core: Core;
  #handle: number;

  /**
   * Makes an evaluator of a bundle envelope, as `GET /v1/bundle` or `attune bundle compile` gives it.
   *
   * @throws {EvaluatorError} The bytes are no bundle, or `core_not_loaded` outside of Node without
   * {@link Evaluator.load}.
   */
  constructor(bundle: Uint8Array) {
    this.#core = loaded ??= coreBesideThisFile();
    this.#handle = this.#core.evaluator_new(put(this.#core, bundle));
    if (this.#handle === 0) {
      const { error, message } = JSON.parse(take(this.#core, this.#core.last_error()));
      throw new EvaluatorError(error, message);
    }
  }

  /** Loads `core.wasm`, from beside this file unless a URL says otherwise. Only the first call loads. */
  static async load(url: string | URL = new URL('./core.wasm', import.meta.url)): Promise<void> {
    if (loaded) return;
    const response = await fetch(url);
    if (!response.ok) throw new EvaluatorError('core_unavailable', `${url} answered ${response.status}`);
    const { instance } = await WebAssembly.instantiate(await response.arrayBuffer());
    loaded ??= instance.exports as unknown as Core;
  }

  /**
   * Takes a JSON array of events in, each in the form of the wire with its own `anonymous_id`, and returns what they
   * have changed. Events that cannot be taken in are listed in `errors`; the others go on.
   */
  absorb(eventsJson: string): Evaluation {
    return this.#ask((core) => core.evaluator_absorb(this.#handle, put(core, encoder.encode(eventsJson))));
  }

  /** The decisions in effect for a visitor. */
  decisions(anonymousId: string): CurrentDecision[] {
    return this.#ask((core) =>
      core.evaluator_decisions(this.#handle, put(core, encoder.encode(anonymousId))),
    );
  }

  /** Totals over everybody seen. */
  summary(): EvaluatorSummary {
    return this.#ask((core) => core.evaluator_summary(this.#handle));
  }

  /** Forgets everything and releases the memory; every later call but this one throws. */
  free(): void {
    this.#core.evaluator_free(this.#handle);
    this.#handle = 0;
  }

  #ask<T>(question: (core: Core) => number): T {
    const answer = JSON.parse(take(this.#core, question(this.#core)));
    if (typeof answer.error === 'string') throw new EvaluatorError(answer.error, answer.message);
    return answer;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Copies bytes into a buffer of the core and returns its address, which the next call uses up; 0 for no bytes. */
function put(core: Core, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const address = core.buffer_new(bytes.length);
  if (address === 0) throw new EvaluatorError('too_large', `${bytes.length} bytes are too many for one call`);
  new Uint8Array(core.memory.buffer, address, bytes.length).set(bytes);
  return address;
}

/** Reads an answer and frees it. */
function take(core: Core, address: number): string {
  const text = decoder.decode(new Uint8Array(core.memory.buffer, address, core.buffer_length(address)));
  core.buffer_free(address);
  return text;
}

/** Node's way to a built-in module that bundlers for browsers do not follow. */
interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } | undefined;
}

function coreBesideThisFile(): Core {
  const { process } = globalThis as { process?: NodeProcess };
  const files = process?.getBuiltinModule?.('node:fs');
  if (!files) throw new EvaluatorError('core_not_loaded', 'await Evaluator.load() first');
  const module = new WebAssembly.Module(files.readFileSync(new URL('./core.wasm', import.meta.url)));
  return new WebAssembly.Instance(module).exports as unknown as Core;
}
