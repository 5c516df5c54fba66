/** The link to the WebAssembly half: buffers calls until it has started, then passes them on; nothing thrown gets out. */

import { CallBuffer } from './buffer.ts';
import { AttuneError, usageError } from './errors.ts';
import { loadShell } from './loader.ts';
import type { Settings } from './options.ts';
import type { Host, Shell, ShellCall } from './shell.ts';
import type { KeyValue } from './storage.ts';
import { uuidV7 } from './uuid.ts';

/** What the WebAssembly half tells the public API. */
export type Events = Pick<Host, 'decision' | 'shown' | 'changed'> & {
  /** Something went wrong. */
  report(error: AttuneError): void;
  /** Which session is it now? */
  session(): string;
};

/** One WebAssembly half, from before it is loaded until it is shut down. */
export class ShellLink {
  /** Settles when decisions are live; fails with `wasm_unavailable`. */
  readonly ready: Promise<void>;

  readonly #buffer: CallBuffer;
  readonly #report: (error: AttuneError) => void;
  #shell: Shell | undefined;
  #isEnded = false;

  constructor(settings: Settings, wasmUrl: string, storage: KeyValue | undefined, events: Events) {
    this.#buffer = new CallBuffer(storage, `attune/${settings.writeKey}/calls/`);
    this.#report = events.report;
    this.ready = new Promise((ready, failed) => {
      let loaded: Shell | undefined;
      const started = () => {
        if (this.#isEnded) loaded?.shutdown();
        else this.#goLive(loaded);
      };
      const error = (code: string, message: string, isUsage: boolean) =>
        events.report(new AttuneError(code, message, isUsage ? 'usage' : 'environment'));
      const host: Host = { ...events, started, ready, error };
      loadShell(wasmUrl, host, settings, events.session).then((shell) => {
        loaded = shell;
      }, failed);
    });
    this.ready.catch(events.report);
  }

  /** Makes a call, now or when the WebAssembly half has started. */
  call(...call: ShellCall): void {
    if (this.#isEnded) {
      this.#report(usageError('shut_down', `${call[0]}: attune has been shut down on this page`));
    } else if (this.#shell) {
      this.#pass(this.#shell, call);
    } else if (!this.#buffer.push(call)) {
      this.#report(new AttuneError('buffer_full', `${call[0]}: too many calls before attune has started`));
    }
  }

  /** Asks for an answer; nothing before the WebAssembly half has started. */
  ask<Answer>(question: (shell: Shell) => Answer): Answer | undefined {
    try {
      return this.#shell && question(this.#shell);
    } catch (cause) {
      this.#fail(cause);
      return undefined;
    }
  }

  /** Stores the calls of a page that leaves before the WebAssembly half has started. */
  save(ms: number): void {
    if (!this.#shell) this.#buffer.save(uuidV7(ms));
  }

  /** Ends the WebAssembly half. */
  end(): void {
    this.ask((shell) => shell.shutdown());
    this.#shell = undefined;
    this.#isEnded = true;
  }

  /** Whether the link has ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  #goLive(shell: Shell | undefined): void {
    if (!shell) return;
    this.#shell = shell;
    for (const call of this.#buffer.drain()) this.#pass(shell, call);
  }

  #pass(shell: Shell, [method, ...values]: ShellCall): void {
    try {
      (shell[method] as (...values: unknown[]) => void)(...values);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    this.#report(new AttuneError('internal', `attune failed: ${String(cause)}`, 'environment', cause));
  }
}
