/** The driver: one input to the core, then everything carried out that it wants done. */

import type { Change } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import type { KeyValue } from '../browser/storage.ts';
import { timer } from '../browser/timer.ts';
import { watchTurns } from '../browser/turns.ts';
import { wallMs } from '../clock.ts';
import type { Json, JsonObject } from '../context.ts';
import { type CoreExports, openCore } from '../core/core.ts';
import type { CoreInspection, Filling, Request } from '../core/effects.ts';
import {
  CONSENT,
  CONTEXT,
  FAREWELL,
  FOLLOW,
  FORGET,
  IDENTIFY,
  INSPECT,
  LANE,
  NEWS,
  ONLINE,
  RESET,
  RESTORE,
  SIGNAL,
  START,
  TRACK,
  WAKE,
} from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { byteLength } from '../core/writer.ts';
import type { Inside } from '../devtools-port.ts';
import { openPage } from '../dom/page.ts';
import { AttuneError } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json.ts';
import type { Settings } from '../options.ts';
import { uuidV7 } from '../uuid.ts';
import { lanesIn, readLanes, sortOut } from './adoption.ts';
import { writeBatch } from './batch.ts';
import { openBundles } from './bundles.ts';
import { changesOf, decisionOf } from './decisions.ts';
import { openDelivery } from './delivery.ts';
import type { Driving } from './driving.ts';
import { type KeptEvent, laneOf, openEvents, sizesOf } from './events.ts';
import { type Lanes, MAX_LANE_MS } from './lanes.ts';
import { openOthers } from './others.ts';
import { openPush } from './push.ts';
import { refusalText } from './refusal.ts';
import { BLOCKED, ENTRIES, MEMBER, stateIn, TOKEN } from './state.ts';
import { type Message, openTabs } from './tabs.ts';
import { type Cut, openTail } from './tail.ts';

/** Time after which a hidden page leaves it to another one to lead. */
const HIDDEN_MS = 5_000;
const CRITICAL = 2;
/** How the input of the context is called in errors. */
const CONTEXT_VALUES = 'setContext: values';
/** Nesting that the core reads, as `MAX_JSON_DEPTH` says. */
const MAX_DEPTH = 32;

/** What was captured, with everything fixed at the call. */
export type Capture = Pick<KeptEvent, 'id' | 'type' | 'ms' | 'session' | 'metadata' | 'priority'>;

/** One client, from the start of the core until the page is left or the client is shut down. */
export interface Driver {
  /** Captures an event. */
  track(capture: Capture): void;
  /** Binds the visitor to a user; the caller tracks `attune.identify` after it. */
  identify(user: string): void;
  /** Begins as a new visitor. */
  reset(session: string): void;
  /** Merges fields, a JSON object as text, into the context; `null` removes one. */
  setContext(fields: string): void;
  /** Takes in which purposes are granted, by bits. */
  consent(granted: number): void;
  /** Takes in what is stored, and from now on events; `lane` is held. */
  admit(stored: Change[], lane: string, session: string): void;
  /** Forgets the visitor, and all that has not been sent; the host has deleted what was stored. */
  forget(session: string): void;
  /** Tells the other pages. */
  say(...message: Message): void;
  /** Becomes the visitor that another tab has begun and stored. */
  follow(member: string, session: string): void;
  /** Takes the member token that another tab has stored. */
  takeToken(stored: string): void;
  /** The live value of a signal. */
  signal(name: string, key?: string): Json | undefined;
  /** Stores and sends now what waits for it. */
  flush(): void;
  /** Ends the client: says farewell and takes every change of the page back. */
  shutdown(): void;
  /** The inside but for decisions and values, for a developer panel. */
  inspect(): Inside;
}

/** What a client starts with. */
export interface Start {
  exports: CoreExports;
  host: Host;
  settings: Settings;
  storage: KeyValue;
  entries: Entries;
  /** What was stored when the page began; nothing while the visitor has not agreed to that, until `admit`. */
  stored: Change[] | undefined;
  /** The locks of lanes, and the lane that this page has begun and holds. */
  lanes: Lanes;
  lane: string;
  session: string;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** Starts a client with what is stored of its member; the lanes of other page loads follow in a later task. */
export function startDriver(start: Start): Driver {
  const { exports, host, settings, storage, entries, lanes, ended } = start;
  const space = `attune/${settings.writeKey}/`;
  const events = openEvents(entries);
  const wake = timer();
  const resting = timer();
  const memberIn = (stored: Change[]) =>
    storage.getItem(space + MEMBER) || stateIn(stored).member || freshId();
  let member = memberIn(start.stored ?? []);
  let lane = start.lane;
  /** When the lane began; 0 where the page has left: if it comes back, its next event begins a new lane. */
  let laneSinceMs = wallMs();
  let user: string | undefined;
  let context: JsonObject = {};
  let contextText = '{}';
  let wakeAtMs = 0;
  let hasEnded = false;
  /** The event that is being tracked. */
  let tracked: KeptEvent | undefined;
  /** The input that is being made. */
  let doing: string;
  /** Whether the core could not read an input. */
  let hasFailed = false;
  let answer: Json | undefined;
  let inspection: CoreInspection;
  /** The revision in effect when it was last asked for. */
  let bundleRevision = 0;
  let cuts: Cut[] = [];
  let isBlocked = false;
  /** What other pages have said before this one has taken in what is stored. */
  let early: Message[] | undefined;
  /** What may run code of the page waits until an output has been read; an input made there adds to it. */
  const later: (() => void)[] = [];
  let isBusy = false;

  const report = (code: string, message: string, isUsage?: boolean) => {
    host.report(new AttuneError(code, message, isUsage ? 'usage' : 'environment'));
  };
  const reportLater = (...error: Parameters<typeof report>) => later.push(() => report(...error));
  const refuse = (code: string, actual: number, limit: number) => {
    reportLater(code, `${tracked?.type}: ${refusalText(code, actual, limit)}`, true);
  };
  const forgetUnreadable = (key: Change[0]) => {
    entries.delete(key);
    reportLater('stored_entry_unreadable', `a stored entry cannot be read: ${key}`);
  };

  const decision = (slot: string, filling: Filling | undefined) => {
    later.push(() => {
      if (hasEnded) return;
      page.set(slot, changesOf(filling));
      host.decision(slot, filling && decisionOf(slot, filling));
    });
  };
  /** Stores a new member, locks a new lane, and ends a stream that belonged to another member. */
  const noteSender = (newMember: string, newLane: string) => {
    if (newLane !== lane) {
      lane = newLane;
      laneSinceMs = wallMs();
      lanes.hold(lane);
      announce();
    }
    if (newMember === member) return;
    member = newMember;
    user = undefined;
    storeMember();
    push.forget();
    // Another visitor may get another candidate.
    bundles.fetch();
  };
  /** Tells the other pages which lane is this page's, once it is locked. */
  const announce = async () => {
    await lanes.held();
    tabs.say('lane', lane);
  };
  const storeMember = () => {
    storage.setItem(space + MEMBER, member);
    entries.put(MEMBER, () => member);
  };
  const writeRequest = (...request: Request) => {
    const [id, , , , numbers] = request;
    const rows = numbers.flatMap((number) => events.get(...number) ?? []);
    const context = contextText;
    const text = (sentAtMs?: number) => writeBatch(request, rows, context, sentAtMs);
    if (id) delivery.send(id, text(wallMs()));
    else cuts.push({ name: numbers.join(), text });
  };
  const setWake = (atMs: number) => {
    if (hasEnded || (wake.isSet() && atMs === wakeAtMs)) return;
    wakeAtMs = atMs;
    if (atMs) wake.set(Math.max(0, atMs - wallMs()), judgeAnew);
    else wake.clear();
  };
  const fail = (code: string) => {
    hasFailed = true;
    // Of what the site hands in, only nesting is left for the core to refuse.
    const what = tracked ? `${tracked.type}: metadata` : doing;
    if (tracked || doing === CONTEXT_VALUES) {
      reportLater('json_too_deep', `${what} must be nested at most ${MAX_DEPTH} deep`, true);
    } else reportLater(code, `${what} cannot be read`);
  };
  const core = openCore(exports, [
    (seq) => {
      if (!tracked) return;
      events.keep(Object.assign(tracked, { seq }));
      tabs.sayEvent({ ...tracked, isSettled: true });
    },
    events.settle,
    // What another page has still to deliver is counted here and stays stored there.
    (of, seq) => lanes.owns(of) && events.forget(of, seq),
    (entry, bytes) => {
      const name = ENTRIES[entry] as string;
      entries.put(name, () => (entry > 1 ? textOf(bytes) : bytes));
      if (name === 'latches') tabs.say(name, bytes);
    },
    (entry) => entries.delete(ENTRIES[entry] as string),
    (gone) => entries.delete(`lane/${gone}`),
    decision,
    (rule, key) => later.push(() => hasEnded || host.shown({ rule, key })),
    noteSender,
    refuse,
    writeRequest,
    (atMs) => delivery.wait(atMs),
    setWake,
    (value) => {
      answer = value;
    },
    fail,
    (entry) => forgetUnreadable(ENTRIES[entry] as string),
    (...found) => {
      inspection = found;
    },
    (id, experiment, variation, bucket_version) =>
      later.push(() => hasEnded || host.exposed(id, { experiment, variation, bucket_version })),
    undefined,
    () => reportLater('bundle_expired', 'the time of the bundle is over; its rules have stopped'),
    (found) => noteBlocked(found > 0),
  ]);

  const changed = () => hasEnded || host.changed();
  const carryOut = (act: () => void) => {
    act();
    if (!isBusy) {
      isBusy = true;
      try {
        for (let next = later.shift(); next; next = later.shift()) next();
      } finally {
        isBusy = false;
      }
    }
    changed();
  };
  const input = (act: () => void, what = 'a call') => {
    doing = what;
    hasFailed = false;
    carryOut(act);
    delivery.request();
    tail.changed();
    return !hasFailed;
  };
  const ask: Driving['ask'] = (...call) => {
    answer = undefined;
    core(...call);
    return answer;
  };
  const driving: Driving = {
    core,
    storage,
    ask,
    isEnded: () => hasEnded,
    isBlocked: () => isBlocked,
    member: () => member,
    carryOut,
    input,
    report,
    changed,
    url: (path, query = `k=${settings.writeKey}`) => `${settings.collector}${path}?${query}`,
  };
  const page = openPage((problem, target) => {
    const what = problem === 'loop' ? 'the page keeps undoing' : 'the browser refuses';
    report(`action_${problem}`, `${what} an action on ${target}`, true);
  });
  const heardOf = (revision: number) => {
    if (revision > bundleRevision) bundleRevision = inspect().bundle_revision;
    if (revision > bundleRevision) bundles.fetch();
  };
  const bundles = openBundles(driving, settings, entries, host.ready);
  const tabs = openTabs(
    space,
    (message) => (early ? early.push(message) : others.hear(message)),
    (until) => void others.lead(until),
  );
  const push = openPush(driving, { tokenKey: space + TOKEN, tabs, heardOf });
  const others = openOthers({
    ...{ driving, host, entries, events, lanes, tabs, push, heardOf, unreadable: forgetUnreadable },
    announce: () => announce(),
    named(name) {
      user = name;
    },
  });
  const delivery = openDelivery(driving, {
    received(receipt, isOfMember) {
      if (isOfMember) push.noteTokens(receipt.memberToken, receipt.streamToken);
      heardOf(receipt.bundleRevision);
    },
    told: (...news) => tabs.say('news', news),
  });
  const tail = openTail(
    () => driving.url('/v1/events'),
    () => cut(false),
  );

  /** A lane ends with its page, and after 24 h. */
  const openLane = () => {
    if (wallMs() - laneSinceMs >= MAX_LANE_MS && !hasEnded) core(LANE, freshId());
  };
  /** What waits, in bodies that fit. */
  const cut = (leaves: boolean) => {
    cuts = [];
    carryOut(() => core(FAREWELL, leaves));
    return cuts;
  };
  /** Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it. */
  const sayFarewell = (leaves: boolean) => {
    const waiting = [...delivery.packing(), ...cut(leaves)];
    entries.flush();
    tail.hand(waiting);
  };
  const leave = () => {
    laneSinceMs = 0;
    sayFarewell(true);
    // A page that holds a lock or a channel is not kept in the back/forward cache.
    tabs.close();
    lanes.release();
  };
  const stand = () => {
    resting.clear();
    if (!document.hidden) tabs.stand();
  };
  const noteBlocked = (found: boolean) => {
    isBlocked = found;
    if (!found) return entries.delete(BLOCKED);
    entries.put(BLOCKED, () => 1);
    tabs.say('news', [3]);
    const message = 'requests to the collector do not get through; what is not delivered stays stored';
    reportLater('collector_blocked', message);
  };
  const judgeAnew = () => input(() => core(WAKE));
  const goOnline = () => input(() => core(ONLINE));
  const inspect = () => {
    core(INSPECT);
    const [signals, events, bytes, in_flight, failures, isBreakerOpen, bundle_revision] = inspection;
    const queue = { events, bytes, in_flight, failures, breaker_open: isBreakerOpen > 0 };
    const own = { member, lane, user_id: user ?? null, stream: push.state() };
    return { ...own, queue, bundle_revision, signals };
  };

  /** Takes stored entries back once it is known whose they are; only then may events follow. */
  const begin = async (stored: Change[]) => {
    early = [];
    storeMember();
    announce();
    const state = stateIn(stored);
    const known = lanesIn(stored).filter((known) => known !== lane);
    const over = await lanes.adopt(known);
    // What is not over yet goes on changing, and is only counted here.
    const open = stored.filter(([key]) => !over.has(laneOf(key) ?? ''));
    const found = sortOut([...open, ...(await readLanes(entries, over))]);
    user = state.user;
    input(() => {
      if (user !== undefined) core(RESTORE, undefined, undefined, user, []);
      others.takeBack(found, state.base, state.latches);
      if (state.isBlocked) core(NEWS, 3);
    });
    if (state.bundle) bundles.restore(state.bundle);
    for (const message of early ?? []) others.hear(message);
    early = undefined;
    others.makeCalls(found);
    stand();
  };
  const turns = {
    hidden() {
      sayFarewell(false);
      resting.set(HIDDEN_MS, () => document.hidden && tabs.rest());
    },
    visible: stand,
    leaving: leave,
    restored() {
      tabs.open();
      openLane();
      judgeAnew();
      stand();
      bundles.fetch();
    },
    online() {
      goOnline();
      push.open();
    },
  };

  tabs.open();
  core(START, member, lane, start.session);
  watchTurns(turns, ended);
  bundles.fetch();
  if (start.stored) begin(start.stored);

  return {
    track(capture) {
      openLane();
      // The core gives the number; until then the largest one stands for it, so that no event is underestimated.
      const seq = Number.MAX_SAFE_INTEGER;
      const event = { ...capture, member, lane, seq, user, isSettled: false };
      const { id, type, ms, priority } = capture;
      const sizes = sizesOf(event);
      input(() => {
        tracked = event;
        core(TRACK, id, type, ms, capture.session, priority, ...sizes);
        tracked = undefined;
      });
      if (priority === CRITICAL) entries.flush('strict');
    },
    identify(id) {
      openLane();
      input(() => {
        core(IDENTIFY, id, freshId(), freshId());
        user = id;
      });
      tabs.say('user', member, id);
    },
    reset(session) {
      input(() => core(RESET, freshId(), freshId(), session));
      // Other tabs follow when they see the new member.
      entries.flush();
    },
    setContext(fields) {
      const before = [context, contextText] as const;
      const merged = Object.entries({ ...context, ...JSON.parse(fields) } as JsonObject);
      context = Object.fromEntries(merged.filter(([, value]) => value !== null));
      contextText = jsonText(context);
      const isTaken = input(() => core(CONTEXT, byteLength(contextText), context), CONTEXT_VALUES);
      // What the core does not take must not stand in the way of the next change.
      if (!isTaken) [context, contextText] = before;
    },
    consent(granted) {
      input(() => core(CONSENT, granted));
    },
    admit(stored, fresh, session) {
      input(() => core(FOLLOW, memberIn(stored), fresh, session));
      begin(stored);
    },
    forget(session) {
      events.clear();
      user = undefined;
      input(() => core(FORGET, freshId(), freshId(), session));
      tail.drop();
      push.forget();
    },
    follow(other, session) {
      if (other === member) return;
      input(() => {
        core(FOLLOW, other, freshId(), session);
        others.takeName();
      });
    },
    say: tabs.say,
    takeToken: push.takeToken,
    signal: (name, key) => ask(SIGNAL, name, key),
    flush() {
      entries.flush();
      goOnline();
    },
    shutdown() {
      leave();
      hasEnded = true;
      delivery.end();
      bundles.end();
      tail.end();
      wake.clear();
      page.clear();
    },
    inspect,
  };
}

function freshId(): string {
  return uuidV7(wallMs());
}
