/** `core.wasm` as a module: where it comes from, and how bytes go in and out of it. */

/** An error of the evaluator, with a stable code. */
export class EvaluatorError extends Error {
  override readonly name = 'EvaluatorError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The exports of the module. */
export interface CoreModule {
  memory: WebAssembly.Memory;
  buffer_new(length: number): number;
  buffer_length(address: number): number;
  buffer_free(address: number): void;
  evaluator_new(bundle: number): number;
  evaluator_absorb(handle: number, events: number): number;
  evaluator_decisions(handle: number, member: number): number;
  evaluator_summary(handle: number): number;
  evaluator_free(handle: number): void;
  evaluator_publish(handle: number, bundle: number, atMs: number): number;
  evaluator_fixed(handle: number, rule: number): number;
  evaluator_rules(handle: number): number;
  evaluator_variables(handle: number): number;
  visitor_name(handle: number, member: number): void;
  visitor_identify(handle: number, length: number): number;
  visitor_set(handle: number, length: number): number;
  visitor_path(handle: number, length: number): number;
  visitor_change(handle: number, path: number, length: number): number;
  visitor_change_number(handle: number, path: number, value: number): number;
  visitor_time(handle: number, ms: number): number;
  visitor_wake(handle: number): number;
  visitor_session(handle: number, length: number): number;
  visitor_exposures(handle: number): number;
  visitor_consent(handle: number, granted: number): number;
  visitor_changes(handle: number): number;
  visitor_changed(handle: number): number;
  visitor_moves(handle: number): number;
  visitor_moved(handle: number): number;
  visitor_decision(handle: number, slot: number): number;
  visitor_explain(handle: number, rule: number): number;
  visitor_preview(handle: number, rule: number): number;
  scratch(length: number): number;
  bucket_hash(seed: number, unit: number, version: number): number;
  bundle_apply(bundle: number, delta: number, sha256: number): number;
  growthbook_new(payload: number): number;
  growthbook_set(handle: number, options: number): number;
  growthbook_feature(handle: number, key: number): number;
  growthbook_run(handle: number, experiment: number): number;
  growthbook_sticky(handle: number): number;
  growthbook_free(handle: number): void;
  conditions_hold(cases: number): number;
  last_error(): number;
}

let loaded: CoreModule | undefined;

/** The module; in Node it is read from beside this file at the first use. */
export function coreModule(): CoreModule {
  loaded ??= coreBesideThisFile();
  return loaded;
}

/** Loads the module from a URL, or takes its bytes. Only the first call loads. */
export async function loadCore(
  source: string | URL | Uint8Array = new URL('./core.wasm', import.meta.url),
): Promise<void> {
  if (loaded) return;
  const bytes = source instanceof Uint8Array ? source : await fetched(source);
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>);
  loaded ??= instance.exports as unknown as CoreModule;
}

async function fetched(url: string | URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new EvaluatorError('core_unavailable', `${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A handle as the module gave it, or the error it gave instead. */
export function opened(core: CoreModule, handle: number): number {
  return handle !== 0 ? handle : refused(core);
}

/** Throws what the module last refused. */
export function refused(core: CoreModule): never {
  const { error, message } = JSON.parse(take(core, core.last_error()));
  throw new EvaluatorError(error, message);
}

/** An answer in JSON, or the error that it is. */
export function answer<T>(core: CoreModule, address: number): T {
  const answer = JSON.parse(take(core, address));
  if (typeof answer?.error === 'string') throw new EvaluatorError(answer.error, answer.message);
  return answer;
}

/** Copies a text into a buffer of the core, as {@link put} does; half a surrogate pair becomes U+FFFD. */
export function putText(core: CoreModule, text: string): number {
  return put(core, encoder.encode(text));
}

/** Copies bytes into a buffer of the core and returns its address, which the next call uses up; 0 for no bytes. */
export function put(core: CoreModule, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const address = core.buffer_new(bytes.length);
  if (address === 0) throw new EvaluatorError('too_large', `${bytes.length} bytes are too many for one call`);
  new Uint8Array(core.memory.buffer, address, bytes.length).set(bytes);
  return address;
}

/** Copies an answer's bytes and frees it; none where the address names no answer. */
export function takeBytes(core: CoreModule, address: number): Uint8Array {
  const bytes = new Uint8Array(core.memory.buffer, address, core.buffer_length(address)).slice();
  core.buffer_free(address);
  return bytes;
}

function take(core: CoreModule, address: number): string {
  return decoder.decode(takeBytes(core, address));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Node's way to a built-in module that bundlers for browsers do not follow. */
interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } | undefined;
}

function coreBesideThisFile(): CoreModule {
  const { process } = globalThis as { process?: NodeProcess };
  const files = process?.getBuiltinModule?.('node:fs');
  if (!files) throw new EvaluatorError('core_not_loaded', 'await Evaluator.load() first');
  const module = new WebAssembly.Module(files.readFileSync(new URL('./core.wasm', import.meta.url)));
  return new WebAssembly.Instance(module).exports as unknown as CoreModule;
}
