/** The link to the driver: keeps calls until they may be made, then passes them on; nothing thrown gets out. */

import { keepWithin } from './bound.ts';
import { activated, isPrerendering } from './browser/activation.ts';
import { openChannel } from './browser/channel.ts';
import { expire } from './browser/cookie.ts';
import { type Change, openDatabase } from './browser/database.ts';
import { openEntries } from './browser/entries.ts';
import { inTime } from './browser/in-time.ts';
import { type KeyValue, openStorage } from './browser/storage.ts';
import { keysUnder } from './browser/stored-keys.ts';
import { openBuffer } from './buffer.ts';
import { type Call, isCapturing } from './calls.ts';
import { wallMs } from './clock.ts';
import { type ConsentState, captureState, grantedBits, type Said } from './consent.ts';
import { isRefused } from './core-loading.ts';
import type { Capture, Driver, StartDriver } from './driver/contract.ts';
import { lanesIn, openLanes } from './driver/lanes.ts';
import { loadDriver } from './driver/loading.ts';
import { BLOCKED, MEMBER, POLICY, SAID, SESSION, stateIn, TOKEN, VISITOR_COOKIE } from './driver/state.ts';
import { AttuneError } from './errors.ts';
import { freshId } from './fresh-id.ts';
import type { Host } from './host.ts';
import { fieldsOf, parseJson } from './json.ts';
import type { Settings } from './options.ts';
import { openPart } from './part.ts';
import type { Beside } from './plain/beside.ts';
import { sessionAt } from './session-state.ts';
import { uuidV7 } from './uuid.ts';
import type { VisitorCookie } from './visitor-cookie.ts';

/** Loads what sends events without the core, or beside one that is not whole. */
export type LoadPlain = () => Promise<typeof import('./plain.ts')>;

/** Time after which what has not come is late: what does without it is loaded then, and gives it `PATIENCE_S` more. */
const LATE_MS = 30_000;
/** Of what has been said within this time in several pages, the last counts. */
const AT_ONCE_MS = 1_000;

/** What a page tells the others of what the visitor wishes: what is agreed to, and to be forgotten. */
type Wish = ['consent', said: Said, atMs: number] | ['forget'];

/** What a link is made of. */
export interface LinkOptions {
  settings: Settings;
  storage: KeyValue;
  /** What the driver tells the public API. */
  events: Omit<Host, 'started' | 'isOver' | 'lost' | 'ready' | 'opened' | 'left' | 'became' | 'proven'>;
  /** The visitor has become another one on another host. */
  became(member: string): void;
  /** Which session is it at this instant? */
  session(ms: number): string;
  /** What the site's own filter leaves of an event that was held; nothing where it drops it. */
  judge(capture: Capture): Capture | undefined;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** One driver, from before its WebAssembly is loaded until it is shut down. */
export interface DriverLink {
  /** Settles when decisions are live; fails with `wasm_unavailable`. */
  readonly ready: Promise<void>;
  /** Whether events are taken: not before somebody looks at the page, nor before the visitor has agreed to it, nor after the end. */
  isTaking(): boolean;
  /** Whether anything may be requested. */
  mayRequest(): boolean;
  /** Whether anything may be stored on the device. */
  mayStore(): boolean;
  /** Makes a call, now or when it may be made; never where the visitor has denied it. */
  call(...call: Call): void;
  /** What the visitor has said of each purpose. */
  said(): Said;
  /** Takes that in, as other pages have said it at a time, or as this one does and tells them at once. */
  consent(said: Said, heardAtMs?: number): void;
  /** Forgets the visitor on this device; what another page that this one hears of has deleted there is left to those who come. */
  forget(session: string, isHeard?: boolean): void;
  /** Asks the collector to erase the visitor, and the other pages to forget it; called before it is forgotten here. */
  erase(): void;
  /** Asks for an answer; nothing before the driver has started. */
  ask<Answer>(question: (driver: Driver) => Answer): Answer | undefined;
  /** Becomes whom the visitor's cookie names, where that is somebody else. */
  look(): void;
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
  const { settings, events, became, session, judge, ended } = options;
  let { consent: said } = settings;
  let capture: ConsentState = captureState(said);
  const partFailed = (file: string) => (cause: unknown) =>
    events.tell('part_unavailable', file, String(cause));
  const loadBackground = openPart(settings.loadBackground, ended, partFailed('background.js'));
  const loadCapturing = openPart(settings.loadCapturing, ended, partFailed('capturing.js'));
  /** What comes in time, and otherwise what is made of that without it; where that is not there either, what comes after all. */
  const late = <Value>(awaited: Promise<Value>, ...beside: Beside | []) =>
    inTime(awaited, LATE_MS).catch(() =>
      settings.loadPlain().then(
        ({ openPlain }) => openPlain(settings, awaited, ...beside),
        () => awaited,
      ),
    );
  const refused = isRefused();
  const plain = () => settings.loadPlain().then(({ openPlain }) => openPlain<StartDriver>(settings));
  const fetchDriver = () => {
    const loading = refused ? plain() : late(loadDriver(settings, loadCapturing));
    // It fails where it is waited for.
    loading.catch(() => {});
    return loading;
  };
  const mayRequest = () => !settings.strict || capture === 'granted';
  // On its way while all else begins.
  const asked = !settings.preview && mayRequest() ? fetchDriver() : undefined;
  const space = `attune/${settings.writeKey}/`;
  const entries = openEntries({
    database: openDatabase(`attune/${settings.writeKey}`),
    allowed: () => mayStore(),
    problem(problem) {
      events.tell(`storage_${problem}`, problem);
    },
  });
  const isBundlesPolicy = settings.filter === 'bundle';
  const awaitsPolicy = () => isBundlesPolicy || storage.getItem(space + POLICY) !== null;
  const awaitsFilter = () => Boolean(settings.filter || driver?.isWaiting()) || awaitsPolicy();
  let cookie: VisitorCookie | undefined;
  let knowing: Promise<void> | undefined;
  /** Settles when the visitor's cookie can be read, where the site has one. */
  const know = () => {
    knowing ??= (async () => {
      if (!settings.visitorCookie) return;
      try {
        const { openVisitorCookie } = await settings.loadVisitorCookie();
        cookie = openVisitorCookie(settings, options.storage, entries, () => mayStore());
      } catch (cause) {
        partFailed('visitor-cookie.js')(cause);
      }
    })();
    return knowing;
  };
  const storage: KeyValue = {
    ...options.storage,
    setItem(key, value) {
      options.storage.setItem(key, value);
      if (key === space + MEMBER && mayStore()) {
        cookie?.keep(value);
        noteSaid();
      }
    },
  };
  /** How many calls have been given up for want of room, and of how many the page has been told. */
  let lost = 0;
  let told = 0;
  const tellLost = () => {
    events.tell('buffer_full', `${lost - told}`);
    told = lost;
  };
  const lose = () => {
    if (lost === told) setTimeout(tellLost, 1_000);
    lost += 1;
  };
  const buffer = openBuffer(entries, storage, `${space}calls/`, awaitsFilter, lose);
  const lanes = openLanes(space);
  // A wish to be erased may be stored even where nothing else may, until it is fulfilled.
  const wishes = openStorage(() => !settings.cookieless);
  const erasures = `attune-erase/${settings.writeKey}/`;
  /** Asks for what is wished here, and for what earlier pages have asked in vain. */
  const eraseWished = async (...asked: [member: string, token: string][]) => {
    await activated();
    const { erase } = await loadBackground();
    const url = `${settings.collector}/v1/forget?k=${settings.writeKey}`;
    erase(url, wishes, erasures, asked, storage.getItem(space + BLOCKED));
  };
  /** Members who are to be erased as soon as a receipt brings what proves that they may be. */
  const unproven = new Set<string | undefined>();
  const eraseBy = (member: string, secret: string) => {
    wishes.setItem(erasures + member, secret);
    eraseWished([member, secret]);
  };
  if (keysUnder(erasures).length) eraseWished();
  /** Calls that are kept while nobody has looked at the page, or the visitor has not said whether they may be captured. */
  let held: Call[] = [];
  let lane = '';
  /** Lanes whose calls are stored and for whoever comes next. */
  const left: string[] = [];
  let driver: Driver | undefined;
  /** The same from its start on, while it may still be taking in what is stored. */
  let started: Driver | undefined;
  /** How often the visitor has been forgotten: what was read before belongs to nobody any more. */
  let forgotten = 0;
  /** Open while the page is, as neither what is said nor who hears it can wait for a driver: the page may be gone by then. */
  const channel = openChannel<Wish>(`${space}wish`, ([kind, heard, atMs]) => {
    if (kind === 'forget') return events.forgotten(true);
    const ago = saidAtMs - atMs;
    // Of what pages say at once the last counts in all of them. A clock may have been set back, but not by that little.
    if (ago < 0 || ago > AT_ONCE_MS || (!ago && JSON.stringify(heard) < JSON.stringify(said)))
      events.consented(heard, atMs);
  });
  /** When that was said. */
  let saidAtMs = 0;
  const noteSaid = () => storage.setItem(space + SAID, JSON.stringify(said));
  /** What was stored of that when the page closed its ears. */
  let was: string | null = null;
  /** Opens them, and takes in what has been said meanwhile: only a no leaves nothing there. */
  const listen = () => {
    channel.open();
    const now = storage.getItem(space + SAID);
    const no = { analytics: 'denied', personalization: 'denied' } as const;
    if (was && was !== now) events.consented({ ...said, ...no, ...(parseJson(now) as Partial<Said>) }, 1);
  };
  /** Whether the driver has taken in what is stored, so that events may follow. */
  let isAdmitted = false;
  /** How often the visitor had been forgotten when it was asked to last. */
  let admitting = -1;
  /** Who was here before the visitor was forgotten. */
  let gone: string | undefined;
  /** Whether the visitor is not the one whose calls earlier page loads have stored. */
  let hasChanged = false;
  let hasEnded = false;
  /** Whether a core that only decides is not waited for any more. */
  let isOver = false;
  let granted = () => {};
  const whenGranted = new Promise<void>((done) => {
    granted = done;
  });

  /** What a page that may be a preview does counts for nobody until it turns out to be none. */
  let { preview } = settings;
  const mayTake = () => capture === 'granted' && !preview && !isPrerendering();
  const isTaking = () => !hasEnded && mayTake();
  // After the end as well: what a late receipt settles.
  const mayStore = () => mayTake() && !settings.cookieless;
  const look = () => {
    const member = mayStore() && cookie?.look();
    if (!member) return;
    hasChanged ||= !isAdmitted;
    became(member);
    buffer.renew(session);
  };
  const ask = <Answer>(question: (driver: Driver) => Answer, of = driver) => {
    try {
      return of && question(of);
    } catch (cause) {
      events.report(failure(cause));
      return undefined;
    }
  };
  const pass = ([method, ...values]: Call, to = driver) => {
    ask((driver) => (driver[method] as (...values: unknown[]) => void)(...values), to);
  };
  /** The lane that is begun for the next event. A page that has left holds none. */
  const laneNow = () => {
    if (lane) return lane;
    lane = freshId();
    lanes.hold(lane);
    return lane;
  };
  const call = (...call: Call) => {
    const captures = isCapturing(call);
    if (hasEnded) events.tell('shut_down', call[0]);
    else if (captures && capture === 'denied') return;
    else if (
      driver &&
      (!captures || (isAdmitted && (preview || isTaking()) && !driver.isWaiting() && !driver.isShort()))
    )
      pass(call);
    else if (captures && !isTaking()) keepWithin(held, call, lose);
    else buffer.push(call, laneNow);
  };
  /** Makes the calls that were held; those of a prerendered page as of now. */
  const release = (isNow: boolean) => {
    if (!isTaking()) return;
    look();
    for (const one of held.splice(0)) {
      if (one[0] !== 'track') call(...one);
      else {
        const ms = isNow ? wallMs() : one[1].ms;
        const judged = judge(one[1]);
        if (judged) call('track', { ...judged, ms, session: session(ms) });
      }
    }
  };
  const read = async () => {
    const known = forgotten;
    let stored: Change[];
    let tries = 9;
    // What another page deletes, which has forgotten the visitor, may still be there; where that is gone, this one does.
    do {
      if (!tries--) entries.clear();
      stored = await entries.read(IDBKeyRange.lowerBound(''));
    } while (gone && stateIn(stored).member === gone);
    const now = wallMs();
    const last = stored.find(([key]) => key === SESSION)?.[1];
    events.resumed(last);
    if (!hasEnded && mayStore() && !(stateIn(stored).member && sessionAt(last, now))) {
      // Pages that begin side by side are to be of one visitor, in one session.
      const own = `${session(now)} ${now} ${now}`;
      const { claim } = entries;
      const member = await claim(
        MEMBER,
        (found) => storage.getItem(space + MEMBER) || `${found || freshId()}`,
      );
      const agree = (found: unknown) => (sessionAt(found, now) ? found : own);
      const agreed = known === forgotten && (await claim(SESSION, agree));
      if (known === forgotten) {
        // First the session: who hears of the member looks for it.
        events.resumed(agreed, true);
        storage.setItem(space + MEMBER, member);
      }
    }
    buffer.renew(session);
    // While the core is still on its way; where it does not load, the driver says so.
    if (lanesIn(stored).length)
      settings
        .loadRestore()
        .then(({ giveUpCalls }) => giveUpCalls(entries, lanes, stored, lose))
        .catch(() => {});
    return stored;
  };
  const load = async (ready: () => void, failed: (cause: unknown) => void) => {
    if (preview) {
      try {
        driver = await (await settings.loadPreview()).openPreview(settings, events);
        isAdmitted = true;
        for (const one of [...buffer.drain(), ...held]) pass(one);
        return ready();
      } catch (cause) {
        events.report(failure(cause));
      }
      preview = '';
      release(false);
    }
    if (!mayRequest()) await whenGranted;
    const loading = asked ?? fetchDriver();
    // Never at once: by then it is known who the visitor is.
    await know();
    look();
    if (isPrerendering()) {
      await activated();
      release(true);
    }
    let known = forgotten;
    const reading = isTaking() ? read() : undefined;
    const startDriver = await loading;
    let stored = await reading;
    while (stored && known !== forgotten) {
      known = forgotten;
      stored = isTaking() ? await read() : undefined;
    }
    const begun = (calls?: Call[]) => {
      if (hasEnded) return loaded.shutdown();
      driver = started;
      if (!calls) return admit();
      isAdmitted = isTaking();
      // A yes that was taken back meanwhile is to be followed by another one.
      if (!isAdmitted) admitting = -1;
      for (const one of [...(hasChanged ? [] : calls), ...buffer.drain()]) call(...one);
      hasChanged = false;
    };
    const opened = () => {
      if (isAdmitted) for (const one of buffer.drain()) call(...one);
    };
    const proven = (member: string, secret: string) => {
      if (unproven.delete(member)) eraseBy(member, secret);
    };
    const own = {
      ...{ started: begun, ready, opened, became, proven },
      isOver: () => isOver,
      left: () => left.splice(0),
      lost: () => lost,
    };
    const host = { ...events, ...own };
    const start = {
      ...{ host, settings, storage, entries, stored, lanes, ended, loadBackground },
      awaitsPolicy: awaitsPolicy(),
      // A visitor who has not agreed has no session, and a page that has ended keeps none alive.
      session: stored && !hasEnded ? session(wallMs()) : freshId(),
      lane: laneNow(),
    };
    const loaded = startDriver(start);
    started = loaded;
    const beside = (plain: Driver) => {
      isOver = true;
      driver = started = plain;
      isAdmitted = false;
      admitting = -1;
      admit();
    };
    late(loaded.whole, loaded, start, beside).catch(failed);
    // What is decided by stored rules is decided in this context, with this consent.
    if (!hasEnded) for (const call of buffer.takeLeading()) pass(call, loaded);
    if (stored) return;
    if (hasEnded) return loaded.shutdown();
    // Rules on context alone need to know nothing of the visitor.
    driver = loaded;
    for (const one of buffer.drain()) call(...one);
    admit();
  };
  /** Takes in what is stored, once that is allowed. */
  const admit = async () => {
    if (!driver || isAdmitted || admitting === forgotten || !isTaking()) return;
    const known = forgotten;
    admitting = known;
    await know();
    look();
    const stored = await read();
    if (known === forgotten) ask((driver) => driver.admit(stored, laneNow(), session(wallMs())));
  };
  const withdraw = (session: string, isHeard?: boolean) => {
    forgotten += 1;
    isAdmitted = !!preview;
    held = [];
    buffer.forget();
    // Also where what reads it may not be loaded.
    if (settings.visitorCookie) expire(VISITOR_COOKIE, settings.visitorCookie);
    entries.clear(isHeard);
    for (const key of keysUnder(space)) storage.removeItem(space + key);
    gone = started?.forget(session, isTaking());
    // The lane has ended with the visitor: whoever is admitted next begins another, as its numbers are given out.
    lane = '';
    admit();
  };
  channel.open();
  // Before the driver goes on.
  addEventListener('pageshow', listen, { signal: ended, capture: true });
  if (capture === 'denied') withdraw('');
  const ready = new Promise<void>((ready, failed) => {
    const fail = (cause: unknown) => failed(failure(cause));
    load(ready, fail).catch(fail);
  });
  // Of a part the page has been told already.
  ready.catch((error) => error.code === 'part_unavailable' || events.report(error));
  return {
    ready,
    isTaking,
    mayRequest,
    mayStore,
    call,
    said: () => said,
    consent(now, heardAtMs) {
      said = now;
      saidAtMs = heardAtMs ?? Math.max(wallMs(), saidAtMs + 1);
      if (!heardAtMs) channel.say('consent', now, saidAtMs);
      capture = captureState(said);
      noteSaid();
      call('consent', grantedBits(said), driver && !isAdmitted && isTaking());
      if (capture === 'denied') events.forgotten(!!heardAtMs);
      if (!isTaking()) return;
      granted();
      release(false);
      admit();
    },
    forget: withdraw,
    erase() {
      channel.say('forget');
      const token = started?.token() ?? storage.getItem(space + TOKEN) ?? '';
      const [member = '', secret] = token.split('\n');
      if (secret) eraseBy(member, secret);
      else unproven.add(started?.inspect()?.member);
    },
    ask,
    look,
    keep: (name, text) => entries.put(name, () => text),
    save(ms) {
      was = storage.getItem(space + SAID);
      // A page that holds a channel is not kept in the back/forward cache, or not beyond the first word; one that has stored
      // nothing would find nothing there of what is said meanwhile.
      if (was) channel.close();
      if ((isAdmitted && !driver?.isShort()) || !mayStore() || awaitsFilter()) return;
      buffer.save(uuidV7(ms));
      // What has been stored belongs to whoever comes next, which may be this page itself.
      lanes.release();
      lanes.leave(lane);
      left.push(lane);
      lane = '';
    },
    end() {
      ask((driver) => driver.shutdown());
      channel.close();
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
