/** The link to the driver: buffers calls until it has started, then passes them on; nothing thrown gets out. */

import type { KeyValue } from './browser/storage.ts';
import { type Call, openBuffer } from './buffer.ts';
import { type Driver, startDriver } from './driver/driver.ts';
import { AttuneError, usageError } from './errors.ts';
import type { Host } from './host.ts';
import { loadCore } from './loader.ts';
import type { Settings } from './options.ts';
import { uuidV7 } from './uuid.ts';

/** What a link is made of. */
export interface LinkOptions {
  settings: Settings;
  wasmUrl: string;
  storage: KeyValue | undefined;
  /** What the driver tells the public API. */
  events: Omit<Host, 'started' | 'ready'>;
  /** Which session is it now? */
  session(): string;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** One driver, from before its WebAssembly is loaded until it is shut down. */
export interface DriverLink {
  /** Settles when decisions are live; fails with `wasm_unavailable`. */
  readonly ready: Promise<void>;
  /** Makes a call, now or when the driver has started. */
  call(...call: Call): void;
  /** Asks for an answer; nothing before the driver has started. */
  ask<Answer>(question: (driver: Driver) => Answer): Answer | undefined;
  /** Stores the calls of a page that leaves before the driver has started. */
  save(ms: number): void;
  /** Ends the driver. */
  end(): void;
  /** Whether the link has ended. */
  isEnded(): boolean;
}

/** Starts loading, off the critical path. */
export function openLink({ settings, wasmUrl, storage, events, session, ended }: LinkOptions): DriverLink {
  const buffer = openBuffer(storage, `attune/${settings.writeKey}/calls/`);
  let driver: Driver | undefined;
  let hasEnded = false;

  const ask = <Answer>(question: (driver: Driver) => Answer) => {
    try {
      return driver && question(driver);
    } catch (cause) {
      events.report(failure(cause));
      return undefined;
    }
  };
  const pass = ([method, ...values]: Call) => {
    ask((driver) => (driver[method] as (...values: unknown[]) => void)(...values));
  };
  const load = async (ready: () => void) => {
    const exports = await loadCore(wasmUrl);
    const started = () => {
      if (hasEnded) return loaded.shutdown();
      driver = loaded;
      buffer.drain().forEach(pass);
    };
    const host = { ...events, started, ready };
    const loaded = startDriver({ exports, host, settings, storage, session: session(), ended });
  };
  const ready = new Promise<void>((ready, failed) => {
    load(ready).catch((cause) => failed(cause instanceof AttuneError ? cause : failure(cause)));
  });
  ready.catch(events.report);
  return {
    ready,
    call(...call) {
      const [method] = call;
      if (hasEnded) events.report(usageError('shut_down', `${method}: attune has been shut down`));
      else if (driver) pass(call);
      else if (!buffer.push(call)) {
        events.report(new AttuneError('buffer_full', `${method}: too many calls before the start`));
      }
    },
    ask,
    save(ms) {
      if (!driver) buffer.save(uuidV7(ms));
    },
    end() {
      ask((driver) => driver.shutdown());
      driver = undefined;
      hasEnded = true;
    },
    isEnded: () => hasEnded,
  };
}

/** An error of our own. */
function failure(cause: unknown): AttuneError {
  return new AttuneError('internal', `attune failed: ${cause}`, 'environment', cause);
}
