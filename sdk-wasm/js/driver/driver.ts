/** The driver: one input to the core, then everything carried out that it wants done. */

import type { Change } from '../browser/database.ts';
import { timer } from '../browser/timer.ts';
import { watchTurns } from '../browser/turns.ts';
import { wallMs } from '../clock.ts';
import { grantedBits } from '../consent.ts';
import type { Json, JsonObject } from '../context.ts';
import { openCore } from '../core/core.ts';
import type { CoreInspection, Filling, Request } from '../core/effects.ts';
import * as operation from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { byteLength } from '../core/writer.ts';
import { AttuneError } from '../errors.ts';
import { uuidV7 } from '../uuid.ts';
import { lanesIn, readLanes, sortOut } from './adoption.ts';
import { openAfterwards } from './afterwards.ts';
import { writeBatch } from './batch.ts';
import { openBundles } from './bundles.ts';
import type { CoreStart, Driver } from './contract.ts';
import { decisionOf } from './decisions.ts';
import { openDelivery } from './delivery.ts';
import type { Driving } from './driving.ts';
import { type KeptEvent, laneOf, openEvents, sizesOf } from './events.ts';
import { openGate } from './filter.ts';
import { MAX_LANE_MS } from './lanes.ts';
import { openOthers } from './others.ts';
import { openPainting } from './painting.ts';
import { problemReport } from './problem.ts';
import { openPush } from './push.ts';
import { refusalText } from './refusal.ts';
import { BLOCKED, DECISIONS, ENTRIES, MEMBER, POLICY, stateIn, TOKEN } from './state.ts';
import { type Message, openTabs } from './tabs.ts';
import { type Cut, openTail } from './tail.ts';
import { openWaking } from './waking.ts';

/** Time after which a hidden page leaves it to another one to lead. */
const HIDDEN_MS = 5_000;
const CRITICAL = 2;
/** How the input of the context is called in errors. */
const CONTEXT_VALUES = 'setContext: values';
/** Nesting that the core reads, as `MAX_JSON_DEPTH` says. */
const MAX_DEPTH = 32;

/** Starts a client with what is stored of its member; the lanes of other page loads follow in a later task. */
export function startDriver(start: CoreStart): Driver {
  const { exports, host, settings, storage, entries, lanes, filter, ended } = start;
  const space = `attune/${settings.writeKey}/`;
  const events = openEvents(entries);
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
  let hasHeard = false;
  /** How often the visitor has been forgotten. */
  let visits = 0;
  let granted = grantedBits(settings.consent);
  /** What other pages have said before this one has taken in what is stored. */
  let early: Message[] | undefined;
  /** Whether the collector has been asked for its rules. */
  let hasAsked = false;
  const later = openAfterwards();

  const report = (code: string, message: string, isUsage?: boolean) => {
    host.report(new AttuneError(code, message, isUsage ? 'usage' : 'environment'));
  };
  const reportLater = (...error: Parameters<typeof report>) => later.add(() => report(...error));
  const refuse = (code: string, actual: number, limit: number) => {
    reportLater(code, `${tracked?.type}: ${refusalText(code, actual, limit)}`, true);
  };
  const gate = openGate({
    filter,
    awaits: start.awaitsPolicy,
    load: settings.loadFilter,
    mistaken: (code, message) => reportLater(code, message, true),
    opened() {
      if (hasEnded) return;
      giveContext();
      host.opened();
      settle(true);
    },
    failed(...error) {
      report(...error);
      settle(true, true);
    },
  });
  const forgetUnreadable = (key: Change[0]) => {
    entries.delete(key);
    reportLater('stored_entry_unreadable', `a stored entry cannot be read: ${key}`);
  };

  const decision = (slot: string, filling: Filling | undefined) => {
    later.add(() => {
      if (hasEnded) return;
      painting.paint(slot, filling);
      host.decision(slot, filling && decisionOf(slot, filling));
    });
  };
  /** Stores a new member, locks a new lane, and ends a stream that belonged to another member. */
  const noteSender = (newMember: string, newLane: string) => {
    if (newLane !== lane) {
      lane = newLane;
      gate.renew();
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
  const notePolicy = () => storage[gate.hasPolicy() ? 'setItem' : 'removeItem'](space + POLICY, '1');
  const storeMember = () => {
    notePolicy();
    storage.setItem(space + MEMBER, member);
    entries.put(MEMBER, () => member);
  };
  const writeRequest = (...request: Request) => {
    const [id, , , , numbers] = request;
    const rows = numbers.flatMap((number) => events.get(...number) ?? []);
    const context = contextText;
    const text = (sentAtMs?: number) => writeBatch(request, rows, context, sentAtMs, gate.drops());
    if (id) delivery.send(id, text(wallMs()));
    // What is to be said beside events can wait for the next page.
    else if (rows.length) cuts.push({ name: numbers.join(), text });
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
    (rule, key) => later.add(() => hasEnded || host.shown({ rule, key })),
    noteSender,
    refuse,
    writeRequest,
    (atMs) => delivery.wait(atMs),
    (atMs) => waking.set(atMs),
    (value) => {
      answer = value;
    },
    fail,
    (entry) => forgetUnreadable(ENTRIES[entry] as string),
    (...found) => {
      inspection = found;
    },
    (id, experiment, variation, bucket_version) =>
      later.add(() => hasEnded || host.exposed(id, { experiment, variation, bucket_version })),
    undefined,
    () => reportLater('bundle_expired', 'the time of the bundle is over; its rules have stopped'),
    (found) => noteBlocked(found > 0),
    (...found) => painting.foresee(...found),
    (policy) => {
      gate.take(policy);
      notePolicy();
      contextText = gate.strip(context);
    },
  ]);

  const changed = () => hasEnded || host.changed();
  const carryOut = (act: () => void) => {
    act();
    later.run();
    changed();
  };
  const input = (act: () => void, what = 'a call') => {
    doing = what;
    hasFailed = false;
    carryOut(act);
    delivery.request();
    tail.changed();
    painting.changed();
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
    heard(answer) {
      // Once is enough, but for a page that has given up.
      if (answer && (!hasHeard || isBlocked)) input(() => core(operation.NEWS, 4));
      hasHeard ||= answer !== undefined;
      return answer;
    },
    isBlocked: () => isBlocked,
    member: () => member,
    carryOut,
    input,
    report,
    changed,
    url: (path, query = `k=${settings.writeKey}`) => `${settings.collector}${path}?${query}`,
  };
  const painting = openPainting({
    ...{ settings, storage, key: space + DECISIONS },
    report: problemReport(host.report),
    visit: () => ({ member, granted, initial: grantedBits(settings.consent), context }),
    forecast: (session) => core(operation.FORECAST, session),
  });
  const heardOf = (revision: number) => {
    if (revision > bundleRevision) bundleRevision = inspect().bundle_revision;
    if (revision > bundleRevision) bundles.fetch();
  };
  const bundles = openBundles(driving, settings, entries, (isTold) => {
    hasAsked = true;
    settle(true, !isTold);
    if (isTold) gate.told();
  });
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
    if (wallMs() - laneSinceMs >= MAX_LANE_MS && !hasEnded) core(operation.LANE, freshId());
  };
  /** What waits, in bodies that fit. */
  const cut = (leaves: boolean) => {
    cuts = [];
    carryOut(() => core(operation.FAREWELL, leaves));
    return cuts;
  };
  /** Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it. */
  const sayFarewell = (leaves: boolean) => {
    painting.leave();
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
    tail.seen();
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
  /**
   * Says that slots are decided, once it is known what is stored, and what the rules are as far as they can be had; and where
   * events wait to be judged, not before those have been, unless that cannot be.
   */
  const settle = (isKnown: boolean, isLast = false) => {
    if (early || !isKnown) return;
    if (hasAsked) host.ready();
    if (isLast || !gate.isWaiting()) painting.settle(inspect().bundle_revision > 0);
  };
  const giveContext = () => {
    contextText = gate.strip(context);
    return input(() => core(operation.CONTEXT, byteLength(contextText), context), CONTEXT_VALUES);
  };
  const judgeAnew = () => input(() => core(operation.WAKE));
  const waking = openWaking(judgeAnew);
  const goOnline = () => input(() => core(operation.ONLINE));
  const inspect = () => {
    core(operation.INSPECT);
    const [signals, events, bytes, in_flight, failures, isBreakerOpen, bundle_revision] = inspection;
    const queue = { events, bytes, in_flight, failures, breaker_open: isBreakerOpen > 0 };
    const own = { member, lane, user_id: user ?? null, stream: push.state() };
    return { ...own, queue, bundle_revision, signals };
  };

  /** Takes stored entries back once it is known whose they are; only then may events follow. */
  const begin = async (stored: Change[]) => {
    const mine = visits;
    early = [];
    storeMember();
    announce();
    const state = stateIn(stored);
    const known = lanesIn(stored).filter((known) => known !== lane);
    const over = await lanes.adopt(known);
    // What is not over yet goes on changing, and is only counted here.
    const open = stored.filter(([key]) => !over.has(laneOf(key) ?? ''));
    const found = sortOut([...open, ...(await readLanes(entries, over))]);
    if (mine !== visits) {
      // The visitor has been forgotten meanwhile.
      early = undefined;
      others.makeCalls(sortOut([]));
      return stand();
    }
    user = state.user;
    input(() => {
      if (user !== undefined) core(operation.RESTORE, undefined, undefined, user, []);
      others.takeBack(found, state.base, state.latches);
      if (state.isBlocked) core(operation.NEWS, 3);
    });
    if (state.bundle) bundles.restore(state.bundle);
    for (const message of early ?? []) others.hear(message);
    early = undefined;
    others.makeCalls(found);
    settle(hasAsked || state.bundle !== undefined);
    stand();
  };
  const turns = {
    hidden() {
      sayFarewell(false);
      resting.set(HIDDEN_MS, () => document.hidden && tabs.rest());
    },
    visible() {
      stand();
      // Whatever kept requests away may have been switched off elsewhere.
      if (isBlocked) goOnline();
    },
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
  core(operation.START, member, lane, start.session);
  watchTurns(turns, ended);
  bundles.fetch();
  if (start.stored) begin(start.stored);

  return {
    isWaiting: gate.isWaiting,
    track(capture) {
      openLane();
      // The core gives the number; until then the largest one stands for it, so that no event is underestimated.
      const seq = Number.MAX_SAFE_INTEGER;
      const { id, type, ms, priority } = capture;
      const kept = gate.pass(type, member, capture.metadata);
      if (!kept) return carryOut(() => {});
      const event = { ...capture, ...kept, member, lane, seq, user, isSettled: false };
      const sizes = sizesOf(event);
      input(() => {
        tracked = event;
        core(operation.TRACK, id, type, ms, capture.session, priority, ...sizes);
        tracked = undefined;
      });
      if (priority === CRITICAL) entries.flush('strict');
    },
    identify(id) {
      openLane();
      input(() => {
        core(operation.IDENTIFY, id, freshId(), freshId());
        user = id;
      });
      tabs.say('user', member, id);
    },
    reset(session) {
      input(() => core(operation.RESET, freshId(), freshId(), session));
      // Other tabs follow when they see the new member.
      entries.flush();
    },
    setContext(fields) {
      const before = [context, contextText] as const;
      const merged = Object.entries({ ...context, ...JSON.parse(fields) } as JsonObject);
      context = Object.fromEntries(merged.filter(([, value]) => value !== null));
      const isTaken = giveContext();
      // What the core does not take must not stand in the way of the next change.
      if (!isTaken) [context, contextText] = before;
    },
    consent(bits) {
      granted = bits;
      input(() => core(operation.CONSENT, bits));
    },
    admit(stored, fresh, session) {
      input(() => core(operation.FOLLOW, memberIn(stored), fresh, session));
      begin(stored);
    },
    forget(session) {
      visits += 1;
      events.clear();
      user = undefined;
      input(() => core(operation.FORGET, freshId(), freshId(), session));
      tail.drop();
      delivery.forget();
      push.forget();
    },
    follow(other, session) {
      if (other === member) return;
      input(() => {
        core(operation.FOLLOW, other, freshId(), session);
        others.takeName();
      });
    },
    say: tabs.say,
    token: push.token,
    takeToken: push.takeToken,
    signal: (name, key) => ask(operation.SIGNAL, name, key),
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
      waking.end();
      painting.end();
    },
    inspect,
  };
}

function freshId(): string {
  return uuidV7(wallMs());
}
