/** Sets of callbacks, none of which can break the page or each other. */

import { type AttuneError, usageError } from './errors.ts';

const MAX_KEPT_ERRORS = 20;

/** Callbacks of one kind. */
export class Listeners<Value> {
  readonly #callbacks = new Set<(value: Value) => void>();
  readonly #failed: (cause: unknown) => void;

  constructor(failed: (cause: unknown) => void) {
    this.#failed = failed;
  }

  /** Adds a callback; returns what removes it. */
  add(callback: (value: Value) => void): () => void {
    const entry = (value: Value) => callback(value);
    this.#callbacks.add(entry);
    return () => void this.#callbacks.delete(entry);
  }

  /** Calls every callback; says whether there was one. */
  emit(value: Value): boolean {
    const callbacks = [...this.#callbacks];
    for (const callback of callbacks) this.emitTo(callback, value);
    return callbacks.length > 0;
  }

  /** Calls one callback. */
  emitTo(callback: (value: Value) => void, value: Value): void {
    try {
      callback(value);
    } catch (cause) {
      this.#failed(cause);
    }
  }
}

/** Where every error ends: at the listeners of `onError`, or kept for the first of them. */
export class ErrorReports {
  readonly #listeners = new Listeners<AttuneError>((cause) =>
    queueMicrotask(() => logOnce('listener_failed', cause)),
  );
  #kept: AttuneError[] = [];

  /** Adds a listener and hands it what came before it. */
  add(callback: (error: AttuneError) => void): () => void {
    const remove = this.#listeners.add(callback);
    const kept = this.#kept;
    this.#kept = [];
    for (const error of kept) this.#listeners.emit(error);
    return remove;
  }

  /** Reports an error; a programming error that nobody listens for gets one line on the console. */
  report(error: AttuneError): void {
    if (this.#listeners.emit(error)) return;
    if (this.#kept.length < MAX_KEPT_ERRORS) this.#kept.push(error);
    if (error.kind === 'usage') logOnce(error.code, error);
  }

  /** Reports that a callback of the page has thrown. */
  reportFailedListener(cause: unknown): void {
    this.report(usageError('listener_failed', `a callback of the page threw: ${String(cause)}`, cause));
  }
}

const logged = new Set<string>();

function logOnce(code: string, detail: unknown): void {
  if (logged.has(code)) return;
  logged.add(code);
  console.error(`attune: ${code}: ${detail instanceof Error ? detail.message : String(detail)}`);
}
