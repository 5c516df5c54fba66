/** `core.wasm` as its host sees it: loading, and buffers in and out. */

/** An error of the evaluator, with a stable code. */
export class EvaluatorError extends Error {
  override readonly name = 'EvaluatorError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Core {
  memory: WebAssembly.Memory;
  buffer_new(length: number): number;
  buffer_length(address: number): number;
  buffer_free(address: number): void;
  evaluator_new(bundle: number): number;
  evaluator_absorb(handle: number, events: number): number;
  evaluator_decisions(handle: number, member: number): number;
  evaluator_summary(handle: number): number;
  evaluator_free(handle: number): void;
  evaluator_names(handle: number): number;
  visitor_name(handle: number, member: number): void;
  visitor_set(handle: number, length: number): number;
  visitor_path(handle: number, length: number): number;
  visitor_change(handle: number, path: number, length: number): number;
  visitor_change_number(handle: number, path: number, value: number): number;
  visitor_time(handle: number, ms: number): number;
  visitor_changes(handle: number): number;
  visitor_changed(handle: number): number;
  visitor_decision(handle: number, slot: number): number;
  visitor_explain(handle: number, rule: number): number;
  scratch(length: number): number;
  last_error(): number;
}

let loaded: Core | undefined;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The core of this host; in Node it is read from beside this file at the first use. */
export function core(): Core {
  loaded ??= coreBesideThisFile();
  return loaded;
}

/** Loads the core over the network; only the first call does. */
export async function load(url: string | URL): Promise<void> {
  if (loaded) return;
  const response = await fetch(url);
  if (!response.ok) throw new EvaluatorError('core_unavailable', `${url} answered ${response.status}`);
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer());
  loaded ??= instance.exports as unknown as Core;
}

/** Copies bytes into a buffer of the core and returns its address, which the next call uses up; 0 for no bytes. */
export function put(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const { buffer_new, memory } = core();
  const address = buffer_new(bytes.length);
  if (address === 0) throw new EvaluatorError('too_large', `${bytes.length} bytes are too many for one call`);
  new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
  return address;
}

/** As {@link put}, for a text. */
export function putText(text: string): number {
  return put(encoder.encode(text));
}

/** Reads an answer and frees it. */
export function take(address: number): string {
  const { memory, buffer_length, buffer_free } = core();
  const text = decoder.decode(new Uint8Array(memory.buffer, address, buffer_length(address)));
  buffer_free(address);
  return text;
}

/** Reads an answer in JSON; one that is an error is thrown. */
export function answer<T>(address: number): T {
  const value = JSON.parse(take(address));
  if (typeof value?.error === 'string') throw new EvaluatorError(value.error, value.message);
  return value;
}

/** Throws what the core last refused. */
export function refused(): never {
  const { error, message } = JSON.parse(take(core().last_error()));
  throw new EvaluatorError(error, message);
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
