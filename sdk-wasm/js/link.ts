/** The link to the driver: keeps calls until they may be made, then passes them on; nothing thrown gets out. */

import { activated, isPrerendering } from './browser/activation.ts';
import { openDatabase } from './browser/database.ts';
import { openEntries } from './browser/entries.ts';
import type { KeyValue } from './browser/storage.ts';
import { openBuffer } from './buffer.ts';
import { type Call, isCapturing } from './calls.ts';
import { wallMs } from './clock.ts';
import { type ConsentState, captureState, grantedBits, type Said } from './consent.ts';
import type { Driver } from './driver/contract.ts';
import { startDriver } from './driver/driver.ts';
import { openLanes } from './driver/lanes.ts';
import type { Message } from './driver/tabs.ts';
import { AttuneError, usageError } from './errors.ts';
import type { Host } from './host.ts';
import { fieldsOf } from './json.ts';
import { loadCore } from './loader.ts';
import type { Settings } from './options.ts';
import { uuidV7 } from './uuid.ts';

/** Calls that are kept while nobody has looked at the page, or the visitor has not said whether they may be captured. */
const MAX_HELD_CALLS = 1_000;

/** What a link is made of. */
export interface LinkOptions {
  settings: Settings;
  wasmUrl: string;
  storage: KeyValue;
  /** What the driver tells the public API. */
  events: Omit<Host, 'started' | 'ready'>;
  /** Which session is it at this instant? */
  session(ms: number): string;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** One driver, from before its WebAssembly is loaded until it is shut down. */
export interface DriverLink {
  /** Settles when decisions are live; fails with `wasm_unavailable`. */
  readonly ready: Promise<void>;
  /** Whether events are taken: not before somebody looks at the page, nor before the visitor has agreed to it. */
  isTaking(): boolean;
  /** Whether anything may be stored on the device. */
  mayStore(): boolean;
  /** Makes a call, now or when it may be made; never where the visitor has denied it. */
  call(...call: Call): void;
  /** Takes in what the visitor has said of each purpose. */
  consent(said: Said): void;
  /** Tells the other pages, as soon as there is a channel. */
  say(...message: Message): void;
  /** Forgets the visitor on this device. */
  forget(session: string): void;
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
export function openLink(options: LinkOptions): DriverLink {
  const { settings, wasmUrl, storage, events, session, ended } = options;
  const space = `attune/${settings.writeKey}/`;
  const entries = openEntries({
    database: openDatabase(`attune/${settings.writeKey}`),
    allowed: () => mayStore(),
    problem(problem) {
      const message = `IndexedDB is ${problem}; what is not delivered is lost with the page`;
      events.report(new AttuneError(`storage_${problem}`, message));
    },
  });
  const buffer = openBuffer(settings.filter ? undefined : entries, storage, `${space}calls/`);
  const lanes = openLanes(space);
  let capture: ConsentState = captureState(settings.consent);
  let held: Call[] = [];
  let lane = '';
  let driver: Driver | undefined;
  /** The same from its start on, while it may still be taking in what is stored. */
  let started: Driver | undefined;
  /** How often the visitor has been forgotten: what was read before belongs to nobody any more. */
  let forgotten = 0;
  /** What the other pages are to hear once there is a channel. */
  const unsaid: Message[] = [];
  /** Whether the driver has taken in what is stored, so that events may follow. */
  let isAdmitted = false;
  let hasEnded = false;
  let granted = () => {};
  const whenGranted = new Promise<void>((done) => {
    granted = done;
  });

  /** What a page that may be a preview does counts for nobody until it turns out to be none. */
  let { preview } = settings;
  const isTaking = () => capture === 'granted' && !preview && !isPrerendering();
  const mayStore = () => isTaking() && !settings.cookieless;
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
    const captures = isCapturing(call);
    if (hasEnded) events.report(usageError('shut_down', `${method}: attune has been shut down`));
    else if (captures && capture === 'denied') return;
    else if (driver && (isAdmitted || !captures)) pass(call);
    else if (captures && !isTaking() ? held.push(call) > MAX_HELD_CALLS : !buffer.push(call, laneNow)) {
      held.splice(MAX_HELD_CALLS);
      events.report(new AttuneError('buffer_full', `${method}: too many calls before the start`));
    }
  };
  /** Makes the calls that were held; those of a prerendered page as of now. */
  const release = (isNow: boolean) => {
    if (!isTaking()) return;
    for (const one of held.splice(0)) {
      if (one[0] !== 'track') call(...one);
      else {
        const ms = isNow ? wallMs() : one[1].ms;
        call('track', { ...one[1], ms, session: session(ms) });
      }
    }
  };
  const read = async () => {
    const stored = await entries.read(IDBKeyRange.lowerBound(''));
    const last = stored.find(([key]) => key === 'session')?.[1];
    if (typeof last === 'string') events.resumed(last);
    return stored;
  };
  const load = async (ready: () => void) => {
    if (preview) {
      try {
        driver = await (await settings.loadPreview()).openPreview(settings, events);
        isAdmitted = true;
        [...buffer.drain(), ...held].forEach(pass);
        return ready();
      } catch (cause) {
        events.report(failure(cause));
      }
      preview = '';
      release(false);
    }
    if (settings.strict) await whenGranted;
    const loading = loadCore(wasmUrl);
    // It fails where it is waited for.
    loading.catch(() => {});
    const { filter: policy, loadFilter } = settings;
    const filtering = policy && loadFilter().then(({ openFilter }) => openFilter(policy));
    filtering?.catch(() => {});
    if (isPrerendering()) {
      await activated();
      release(true);
    }
    let known = forgotten;
    const reading = isTaking() ? read() : undefined;
    const exports = await loading;
    const filter = await filtering;
    let stored = await reading;
    while (stored && known !== forgotten) {
      known = forgotten;
      stored = isTaking() ? await read() : undefined;
    }
    const begun = (calls: Call[]) => {
      if (hasEnded) return loaded.shutdown();
      driver = loaded;
      isAdmitted = isTaking();
      for (const call of [...calls, ...buffer.drain()]) pass(call);
    };
    const host = { ...events, started: begun, ready };
    const start = { exports, host, settings, storage, entries, stored, lanes, filter, ended };
    // A visitor who has not agreed has no session.
    const visit = stored ? session(wallMs()) : uuidV7(wallMs());
    const loaded = startDriver({ ...start, lane: laneNow(), session: visit });
    started = loaded;
    for (const message of unsaid.splice(0)) loaded.say(...message);
    if (stored) return;
    // Rules on context alone need to know nothing of the visitor.
    driver = loaded;
    buffer.drain().forEach(pass);
    admit();
  };
  /** Takes in what is stored, once that is allowed. */
  const admit = async () => {
    if (!driver || isAdmitted || !isTaking()) return;
    const stored = await read();
    ask((driver) => driver.admit(stored, laneNow(), session(wallMs())));
  };
  const withdraw = (session: string) => {
    forgotten += 1;
    held = [];
    buffer.forget();
    entries.clear();
    for (const key of storage.keysUnder(space)) storage.removeItem(space + key);
    started?.forget(session);
  };
  if (capture === 'denied') withdraw('');
  const ready = new Promise<void>((ready, failed) => {
    load(ready).catch((cause) => failed(failure(cause)));
  });
  ready.catch(events.report);
  return {
    ready,
    isTaking,
    mayStore,
    call,
    consent(said) {
      capture = captureState(said);
      call('consent', grantedBits(said));
      if (capture === 'denied') {
        isAdmitted = false;
        withdraw(session(wallMs()));
      }
      if (!isTaking()) return;
      granted();
      release(false);
      admit();
    },
    say(...message) {
      if (started) started.say(...message);
      else unsaid.push(message);
    },
    forget: withdraw,
    ask,
    keep: (name, text) => entries.put(name, () => text),
    save(ms) {
      if (driver || !mayStore() || settings.filter) return;
      buffer.save(uuidV7(ms));
      // What has been stored belongs to whoever comes next, which may be this page itself.
      lanes.release();
      lane = '';
    },
    end() {
      ask((driver) => driver.shutdown());
      driver = undefined;
      started = undefined;
      hasEnded = true;
    },
    isEnded: () => hasEnded,
  };
}

/** An error of our own, or one that has come out of a file with another copy of its class. */
function failure(cause: unknown): AttuneError {
  if (cause instanceof AttuneError) return cause;
  const { name, code, message, kind } = fieldsOf(cause) as Partial<AttuneError>;
  if (name === 'AttuneError' && code) return new AttuneError(code, message ?? '', kind, cause);
  return new AttuneError('internal', `attune failed: ${cause}`, 'environment', cause);
}
