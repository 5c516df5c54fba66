/** The link to the driver: buffers calls until it has started, then passes them on; nothing thrown gets out. */

import { activated, isPrerendering } from './browser/activation.ts';
import { openDatabase } from './browser/database.ts';
import { openEntries } from './browser/entries.ts';
import type { KeyValue } from './browser/storage.ts';
import { openBuffer } from './buffer.ts';
import type { Call } from './calls.ts';
import { wallMs } from './clock.ts';
import { type Driver, startDriver } from './driver/driver.ts';
import { openLanes } from './driver/lanes.ts';
import { AttuneError, usageError } from './errors.ts';
import type { Host } from './host.ts';
import { loadCore } from './loader.ts';
import type { Settings } from './options.ts';
import { uuidV7 } from './uuid.ts';

/** Calls that a prerendered page keeps. */
const MAX_HELD_CALLS = 1_000;

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
  /** Stores a text under a name. */
  keep(name: string, text: string): void;
  /** Stores the calls of a page that leaves before the driver has started. */
  save(ms: number): void;
  /** Ends the driver. */
  end(): void;
  /** Whether the link has ended. */
  isEnded(): boolean;
}

/** Starts loading, off the critical path. */
export function openLink({
  settings,
  wasmUrl,
  storage,
  events,
  session: sessionNow,
  ended,
}: LinkOptions): DriverLink {
  const space = `attune/${settings.writeKey}/`;
  const entries = openEntries(openDatabase(`attune/${settings.writeKey}`), (problem) => {
    const message = `IndexedDB is ${problem}; what is not delivered is lost with the page`;
    events.report(new AttuneError(`storage_${problem}`, message));
  });
  const buffer = openBuffer(entries, storage, `${space}calls/`);
  const lanes = openLanes(space);
  let lane = '';
  let driver: Driver | undefined;
  let hasEnded = false;
  /** Calls of a prerendered page: nothing counts before somebody looks at it. */
  let held: Call[] | undefined = isPrerendering() ? [] : undefined;

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
  /** The lane that is begun for the next event. A page that has left holds none. */
  const laneNow = () => {
    if (lane) return lane;
    lane = uuidV7(wallMs());
    lanes.hold(lane);
    return lane;
  };
  const call = (...call: Call) => {
    const [method] = call;
    if (hasEnded) events.report(usageError('shut_down', `${method}: attune has been shut down`));
    else if (driver) pass(call);
    else if (held ? held.push(call) > MAX_HELD_CALLS : !buffer.push(call, laneNow())) {
      events.report(new AttuneError('buffer_full', `${method}: too many calls before the start`));
    }
  };
  /** Makes the calls of a page that was prerendered, as of now. */
  const release = () => {
    const calls = held ?? [];
    held = undefined;
    for (const one of calls.slice(0, MAX_HELD_CALLS)) {
      if (one[0] === 'track') call('track', { ...one[1], ms: wallMs(), session: sessionNow() });
      else call(...one);
    }
  };
  const load = async (ready: () => void) => {
    const loading = loadCore(wasmUrl);
    // It fails where it is waited for.
    loading.catch(() => {});
    await activated();
    release();
    const [exports, stored] = await Promise.all([loading, entries.read(IDBKeyRange.lowerBound(''))]);
    const session = stored.find(([key]) => key === 'session')?.[1];
    if (typeof session === 'string') events.resumed(session);
    const started = (calls: Call[]) => {
      if (hasEnded) return loaded.shutdown();
      driver = loaded;
      for (const call of [...calls, ...buffer.drain()]) pass(call);
    };
    const host = { ...events, started, ready };
    const start = { exports, host, settings, storage, entries, stored, lanes, lane: laneNow(), ended };
    const loaded = startDriver({ ...start, session: sessionNow() });
  };
  const ready = new Promise<void>((ready, failed) => {
    load(ready).catch((cause) => failed(cause instanceof AttuneError ? cause : failure(cause)));
  });
  ready.catch(events.report);
  return {
    ready,
    call,
    ask,
    keep: (name, text) => entries.put(name, () => text),
    save(ms) {
      if (driver || held) return;
      buffer.save(uuidV7(ms));
      // What has been stored belongs to whoever comes next, which may be this page itself.
      lanes.release();
      lane = '';
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
