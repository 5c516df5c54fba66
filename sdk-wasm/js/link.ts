/** The link to the driver: buffers calls until it has started, then passes them on; nothing thrown gets out. */

import type { KeyValue } from './browser/storage.ts';
import { type Call, CallBuffer } from './buffer.ts';
import { type Driver, startDriver } from './driver/driver.ts';
import { AttuneError, usageError } from './errors.ts';
import type { Host } from './host.ts';
import { loadCore } from './loader.ts';
import type { Settings } from './options.ts';
import { uuidV7 } from './uuid.ts';

/** What the driver tells the public API. */
export type Events = Pick<Host, 'decision' | 'shown' | 'changed' | 'report'> & {
  /** Which session is it now? */
  session(): string;
};

/** What a link is made of. */
export interface LinkOptions {
  settings: Settings;
  wasmUrl: string;
  storage: KeyValue | undefined;
  events: Events;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** One driver, from before its WebAssembly is loaded until it is shut down. */
export class DriverLink {
  /** Settles when decisions are live; fails with `wasm_unavailable`. */
  readonly ready: Promise<void>;

  readonly #buffer: CallBuffer;
  readonly #report: (error: AttuneError) => void;
  #driver: Driver | undefined;
  #isEnded = false;

  constructor({ settings, wasmUrl, storage, events, ended }: LinkOptions) {
    this.#buffer = new CallBuffer(storage, `attune/${settings.writeKey}/calls/`);
    this.#report = events.report;
    this.ready = new Promise((ready, failed) => {
      const start = async () => {
        const exports = await loadCore(wasmUrl);
        const started = () => this.#goLive(driver);
        const host = { ...events, started, ready };
        const driver = startDriver({ exports, host, settings, storage, session: events.session(), ended });
      };
      start().catch((cause) => failed(cause instanceof AttuneError ? cause : failure(cause)));
    });
    this.ready.catch(events.report);
  }

  /** Makes a call, now or when the driver has started. */
  call(...call: Call): void {
    if (this.#isEnded) {
      this.#report(usageError('shut_down', `${call[0]}: attune has been shut down`));
    } else if (this.#driver) {
      this.#pass(call);
    } else if (!this.#buffer.push(call)) {
      this.#report(new AttuneError('buffer_full', `${call[0]}: too many calls before the start`));
    }
  }

  /** Asks for an answer; nothing before the driver has started. */
  ask<Answer>(question: (driver: Driver) => Answer): Answer | undefined {
    try {
      return this.#driver && question(this.#driver);
    } catch (cause) {
      this.#report(failure(cause));
      return undefined;
    }
  }

  /** Stores the calls of a page that leaves before the driver has started. */
  save(ms: number): void {
    if (!this.#driver) this.#buffer.save(uuidV7(ms));
  }

  /** Ends the driver. */
  end(): void {
    this.ask((driver) => driver.shutdown());
    this.#driver = undefined;
    this.#isEnded = true;
  }

  /** Whether the link has ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  #goLive(driver: Driver): void {
    if (this.#isEnded) {
      driver.shutdown();
      return;
    }
    this.#driver = driver;
    for (const call of this.#buffer.drain()) this.#pass(call);
  }

  #pass([method, ...values]: Call): void {
    this.ask((driver) => (driver[method] as (...values: unknown[]) => void)(...values));
  }
}

/** An error of our own. */
function failure(cause: unknown): AttuneError {
  return new AttuneError('internal', `attune failed: ${cause}`, 'environment', cause);
}
