/** Sets of callbacks, none of which can break the page or each other. */

import { type AttuneError, usageError } from './errors.ts';

const MAX_KEPT_ERRORS = 20;

/** Callbacks of one kind. */
export interface Listeners<Value> {
  /** Adds a callback; returns what removes it. */
  add(callback: (value: Value) => void): () => void;
  /** Calls every callback; says whether there was one. */
  emit(value: Value): boolean;
  /** Calls one callback. */
  emitTo(callback: (value: Value) => void, value: Value): void;
}

/** No callbacks; what one of them throws goes to `failed`. */
export function openListeners<Value>(failed: (cause: unknown) => void): Listeners<Value> {
  const callbacks = new Set<(value: Value) => void>();
  const emitTo = (callback: (value: Value) => void, value: Value) => {
    try {
      callback(value);
    } catch (cause) {
      failed(cause);
    }
  };
  return {
    add(callback) {
      const entry = (value: Value) => callback(value);
      callbacks.add(entry);
      return () => void callbacks.delete(entry);
    },
    emit(value) {
      const all = [...callbacks];
      for (const callback of all) emitTo(callback, value);
      return all.length > 0;
    },
    emitTo,
  };
}

/** Where every error ends: at the listeners of `onError`, or kept for the first of them. */
export interface ErrorReports {
  /** Adds a listener and hands it what came before it. */
  add(callback: (error: AttuneError) => void): () => void;
  /** Reports an error; a programming error that nobody listens for gets one line on the console. */
  report(error: AttuneError): void;
  /** Reports that a callback of the page has thrown. */
  reportFailedListener(cause: unknown): void;
}

/** No errors and no listeners. */
export function openReports(): ErrorReports {
  const listeners = openListeners<AttuneError>((cause) =>
    queueMicrotask(() => logOnce('listener_failed', cause)),
  );
  const kept: AttuneError[] = [];
  const report = (error: AttuneError) => {
    if (listeners.emit(error)) return;
    if (kept.length < MAX_KEPT_ERRORS) kept.push(error);
    if (error.kind === 'usage') logOnce(error.code, error);
  };
  return {
    add(callback) {
      const remove = listeners.add(callback);
      kept.splice(0).forEach(listeners.emit);
      return remove;
    },
    report,
    reportFailedListener: (cause) =>
      report(usageError('listener_failed', `a callback threw: ${cause}`, cause)),
  };
}

const logged = new Set<string>();

function logOnce(code: string, detail: unknown): void {
  if (logged.has(code)) return;
  logged.add(code);
  console.error(`attune: ${code}: ${(detail as Error | undefined)?.message ?? detail}`);
}
