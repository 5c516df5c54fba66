/** The driver: one input to the core, then everything carried out that it wants done. */

import { openChannel } from '../browser/channel.ts';
import type { Change } from '../browser/database.ts';
import { type Turns, watchTurns } from '../browser/turns.ts';
import { wallMs } from '../clock.ts';
import { grantedBits } from '../consent.ts';
import type { Json, JsonObject } from '../context.ts';
import { openCore } from '../core/core.ts';
import type { Filling } from '../core/effects.ts';
import * as operation from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { byteLength } from '../core/writer.ts';
import { AttuneError } from '../errors.ts';
import { freshId } from '../fresh-id.ts';
import { mergedContext } from '../page-context.ts';
import { openAfterwards } from './afterwards.ts';
import { openBehind } from './behind.ts';
import { openBundles } from './bundles.ts';
import type { Capturing } from './capturing.ts';
import type { CoreStart, Driver } from './contract.ts';
import { decisionOf } from './decisions.ts';
import type { Driving } from './driving.ts';
import type { Waiting } from './events.ts';
import { openGate } from './filter.ts';
import { MAX_LANE_MS } from './lanes.ts';
import { openPainting } from './painting.ts';
import { openPast } from './past.ts';
import { ASKED, KNOWN, LAST, openSettling, TURN } from './settling.ts';
import { BLOCKED, DECISIONS, ENTRIES, MEMBER, POLICY, stateIn, TOKEN } from './state.ts';
import type { Message } from './tabs.ts';
import { openWaking } from './waking.ts';

/** Time after which what runs behind the first decision is loaded though there is none yet. */
const PATIENCE_MS = 1_000;
const CRITICAL = 2;
/** How the input of the context is called in errors. */
const CONTEXT_VALUES = 'setContext: values';

/** Starts a client with what is stored of its member; the lanes of other page loads follow in a later task. */
export function startDriver(start: CoreStart): Driver {
  const { exports, rest, host, settings, storage, entries, lanes, site, ended } = start;
  const space = `attune/${settings.writeKey}/`;
  const waiting: Waiting = new Map();
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
  /** The input that is being made. */
  let doing: string;
  /** Whether the core could not read an input. */
  let hasFailed = false;
  let answer: Json | undefined;
  /** The revision in effect. */
  let bundleRevision = 0;
  let isBlocked = false;
  /** Until when nothing is to be sent, by the monotonic clock. */
  let pausedUntilMs = 0;
  /** How often the visitor has been forgotten. */
  let visits = 0;
  let granted = grantedBits(settings.consent);
  /** What other pages have said before this one has taken in what is stored. */
  let early: Message[] | undefined;
  /** Whether this page wants to lead. */
  let stands = false;
  const later = openAfterwards();
  let taken: Promise<void> | undefined;
  /** There when the core is whole. */
  let capturing: Capturing | undefined;

  const report = (code: string, message: string, isUsage?: boolean) => {
    host.report(new AttuneError(code, message, isUsage ? 'usage' : 'environment'));
  };
  /** What a whole core has said of events of earlier pages before what captures was there. */
  const untold: ((capturing: Capturing) => void)[] = [];
  const ofEvents = (act: (capturing: Capturing) => void) =>
    void (capturing ? act(capturing) : untold.push(act));
  const mistaken = (code: string, message: string) => later.add(() => report(code, message, true));
  const gate = openGate({
    site,
    awaits: start.awaitsPolicy,
    load: settings.loadFilter,
    mistaken,
    opened() {
      if (hasEnded) return;
      giveContext();
      host.opened();
      settle(KNOWN);
    },
    failed(...error) {
      host.tell('filter', ...error);
      settle(KNOWN | LAST);
    },
  });
  const forgetUnreadable = (key: Change[0]) => {
    entries.delete(key);
    host.tell('stored_entry_unreadable', String(key));
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
      capturing?.renew();
      laneSinceMs = wallMs();
      lanes.hold(lane);
      announce();
    }
    if (newMember === member) return;
    member = newMember;
    user = undefined;
    // Who is to come is agreed on with other pages.
    if (!early) storeMember();
    // Who has been found to be here, once that could be asked, has one.
    if (!storage.getItem(space + TOKEN)?.startsWith(newMember)) forgetToken();
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
  const fail = (code: string) => {
    hasFailed = true;
    // Of what the site hands in, only nesting is left for the core to refuse.
    const tracked = capturing?.tracked();
    const what = tracked ? `${tracked}: metadata` : doing;
    if (tracked || doing === CONTEXT_VALUES) host.tell('json_too_deep', what);
    else host.tell('unreadable', code, what);
  };
  const [core, completion] = openCore(exports, [
    (seq) => capturing?.keep(seq),
    (...event) => ofEvents(({ events }) => events.settle(...event)),
    // What another page has still to deliver is counted here and stays stored there.
    (of, seq) => lanes.owns(of) && ofEvents(({ events }) => events.forget(of, seq)),
    (entry, bytes) => {
      const name = ENTRIES[entry] as string;
      const value = [member, entry > 1 ? textOf(bytes) : bytes];
      entries.put(name, () => value);
      if (name === 'latches') tabs.say(name, member, bytes);
    },
    (entry) => entries.delete(ENTRIES[entry] as string),
    (gone) => entries.delete(`lane/${gone}`),
    decision,
    (rule, key) => later.add(() => hasEnded || host.shown({ rule, key })),
    noteSender,
    (...refusal) => host.tell('refused', capturing?.tracked(), ...refusal),
    (...request) => capturing?.write(...request),
    (atMs) => {
      pausedUntilMs = atMs;
      behind.now()?.delivery.wait(atMs);
    },
    (atMs) => waking.set(atMs),
    (value) => {
      answer = value;
    },
    fail,
    (entry) => forgetUnreadable(ENTRIES[entry] as string),
    (...found) => capturing?.inspected(found),
    (id, experiment, variation, bucket_version) =>
      later.add(() => hasEnded || host.exposed(id, { experiment, variation, bucket_version })),
    undefined,
    () => host.tell('bundle_expired'),
    (reachability) => {
      isBlocked = reachability > 0;
      // What was not asked meanwhile.
      if (!isBlocked) bundles.fetch(true);
      if (reachability > 1) behind.do(({ blocked }) => blocked());
    },
    (...found) => behind.now()?.keeping.foresee(...found),
    (policy) => {
      gate.take(policy);
      notePolicy();
      contextText = gate.strip(context);
    },
    (revision) => {
      bundleRevision = revision;
    },
    () => bundles.fetch(true),
    () => settle(TURN),
  ]);
  const { isHolding } = completion;
  const isShort = () => !capturing;
  const whole = rest.then(({ openCapturing }) => {
    if (hasEnded || host.isOver()) return;
    capturing = openCapturing({
      ...{ core, entries, waiting, gate, mistaken, input, carryOut, lanes, past, space, host },
      url: () => driving.url('/v1/events'),
      sender: () => ({ member, lane, user }),
      context: () => contextText,
      send: (...body) => behind.now()?.delivery.send(...body),
      say: tabs.say,
    });
    for (const act of untold.splice(0)) act(capturing);
    input(completion.complete);
    settle();
    host.opened();
  });

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
    behind.now()?.changed();
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
    whole,
    taken: () => taken,
    ask,
    isEnded: () => hasEnded,
    heard(answer) {
      if (answer) storage.removeItem(space + BLOCKED);
      if (answer || navigator.onLine !== false) input(() => core(operation.NEWS, answer ? 4 : 5));
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
  const heardOf = (revision: number) => {
    if (revision > bundleRevision) bundles.fetch();
  };
  const bundles = openBundles(driving, settings, entries, start.bundle, (failure) => {
    settle(KNOWN | ASKED | (failure ? LAST : 0));
    if (!failure) gate.told();
    behind.do(({ retries }) => retries(failure));
    behind.load();
  });
  const hear = (message: Message, mine = visits) =>
    // What was said of a visitor who has been forgotten meanwhile is of nobody.
    early ? early.push(message) : behind.do(({ others }) => mine === visits && others.hear(message));
  const tabs = openChannel<Message>(space, (message) => hear(message));
  const taking = { driving, host, entries, waiting, lanes, unreadable: forgetUnreadable };
  const past = openPast(settings.loadRestore, taking);
  const loadBackground = async () => {
    const { openBackground } = await start.loadBackground();
    // Where that fails, the page is told of it elsewhere.
    await whole.catch(() => {});
    if (hasEnded || !capturing) return undefined;
    const { cut, tail } = capturing;
    return openBackground(driving, {
      ...{ space, tokenKey: space + TOKEN, host, entries, lanes, tabs, tail, heardOf, announce, turns },
      past,
      fetchLater: bundles.again,
      cut: () => cut(false),
      outlook: {
        visit: () => ({
          ...{ member, granted, context, strip: gate.strip },
          initial: grantedBits(settings.consent),
        }),
        forecast: settings.first && ((session) => core(operation.FORECAST, session)),
      },
      named(agree) {
        user = agree(user);
      },
    });
  };
  const behind = openBehind(loadBackground, (background) => {
    background.changed();
    if (stands) background.leading.stand();
  });
  const painting = openPainting({
    ...{ settings, storage, key: space + DECISIONS },
    report: (...problem) => behind.do((background) => background.problem(...problem)),
  });
  const forgetToken = () => {
    behind.now()?.push.forget();
    storage.removeItem(space + TOKEN);
  };

  /** A lane ends with its page, and after 24 h. */
  const openLane = () => {
    if (wallMs() - laneSinceMs >= MAX_LANE_MS && !hasEnded) core(operation.LANE, freshId());
  };
  /** Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it. */
  const sayFarewell = (leaves: boolean) => {
    const background = behind.now();
    if (!background) painting.forgo();
    const exposed = background?.leave(leaves) ?? [];
    const waiting = [...exposed, ...(capturing?.cut(leaves) ?? [])];
    entries.flush();
    // A page that is only hidden goes on: where it is blocked or told to wait, what it would hand over were a request at every turn.
    if (leaves || !(isBlocked || performance.now() < pausedUntilMs)) capturing?.tail.hand(waiting);
  };
  const leave = () => {
    laneSinceMs = 0;
    stands = false;
    sayFarewell(true);
    // A page that holds a lock or a channel is not kept in the back/forward cache.
    behind.now()?.leading.rest();
    tabs.close();
    lanes.release();
  };
  const stand = () => {
    stands = true;
    capturing?.tail.seen();
    behind.now()?.leading.stand();
  };
  const settle = openSettling(
    () => early !== undefined || isHolding(),
    gate.isWaiting,
    (...turn) => ofEvents((capturing) => capturing.takeTurn(...turn)),
    () => isShort() || host.ready(),
    () => painting.settle(bundleRevision > 0),
  );
  const giveContext = () => {
    contextText = gate.strip(context);
    return input(() => core(operation.CONTEXT, byteLength(contextText), context), CONTEXT_VALUES);
  };
  const judgeAnew = () => input(() => core(operation.WAKE));
  const waking = openWaking(judgeAnew);
  const goOnline = () => input(() => core(operation.ONLINE));
  const seen = () => {
    stand();
    // Whatever kept requests away may have been switched off elsewhere.
    input(() => core(operation.SEEN));
  };

  /** Takes stored entries back once it is known whose they are; only then may events follow. */
  const begin = async (stored: Change[]) => {
    const mine = visits;
    early ??= [];
    if (storage.getItem(space + BLOCKED)) core(operation.NEWS, 3);
    storeMember();
    announce();
    // Never at once: whoever has started the client does not have it yet.
    const found = await past.adopt(stored);
    // Of who is the visitor now: another page may have begun as another one meanwhile.
    const state = stateIn(stored, member);
    if (mine !== visits) {
      // The visitor has been forgotten meanwhile.
      host.started();
      return stand();
    }
    const { base, latches } = state;
    user = state.user;
    input(() => {
      if (base || latches || user) core(operation.RESTORE, base, latches, user, []);
      found?.taking.takeBack(found);
    });
    if (state.bundle) bundles.restore(state.bundle);
    const held = early ?? [];
    early = undefined;
    for (const message of held) hear(message);
    if (found) found.taking.makeCalls(found);
    else host.started([]);
    settle(state.bundle ? KNOWN : 0);
    stand();
    if (state.bundle) behind.load();
  };
  const turns: Turns = {
    hidden() {
      sayFarewell(false);
      behind.now()?.leading.hide();
    },
    visible: seen,
    leaving: leave,
    restored() {
      tabs.open();
      behind.now()?.restored();
      openLane();
      judgeAnew();
      seen();
      bundles.fetch();
      const left = host.left();
      if (left[0]) past.open().then((one) => one.takeUp(left));
    },
    online() {
      goOnline();
      behind.now()?.push.open();
    },
  };

  tabs.open();
  core(operation.START, member, lane, start.session);
  watchTurns(turns, ended);
  bundles.fetch();
  setTimeout(behind.load, PATIENCE_MS);
  if (start.stored) taken = begin(start.stored);

  return {
    isWaiting: gate.isWaiting,
    isShort,
    whole: whole.finally(() => taken),
    track(capture) {
      openLane();
      if (!capturing?.track(capture)) return carryOut(() => {});
      if (capture.priority === CRITICAL) entries.flush('strict');
    },
    identify(id) {
      openLane();
      input(() => {
        core(operation.IDENTIFY, id, freshId(), freshId());
        user = id;
      });
      // Before others follow, and read what is stored of the one who has come.
      entries.flush();
      tabs.say('user', member, id);
    },
    reset(session) {
      input(() => core(operation.RESET, freshId(), freshId(), session));
      // Other tabs follow when they see the new member.
      entries.flush();
    },
    setContext(fields) {
      const before = [context, contextText] as const;
      context = mergedContext(context, fields);
      const isTaken = giveContext();
      // What the core does not take must not stand in the way of the next change.
      if (!isTaken) [context, contextText] = before;
    },
    consent(bits, isComing) {
      granted = bits;
      if (isComing) early ??= [];
      input(() => core(operation.CONSENT, bits));
    },
    admit(stored, fresh, session) {
      early ??= [];
      input(() => core(operation.FOLLOW, memberIn(stored), fresh, session));
      begin(stored);
    },
    forget(session, isComing) {
      const gone = member;
      early = isComing ? [] : undefined;
      behind.now()?.forget();
      visits += 1;
      waiting.clear();
      user = undefined;
      input(() => core(operation.FORGET, freshId(), freshId(), session));
      capturing?.tail.drop();
      forgetToken();
      return gone;
    },
    follow(other, session) {
      if (other === member) return;
      input(() => {
        core(operation.FOLLOW, other, freshId(), session());
        behind.now()?.others.followed();
      });
    },
    token: () => behind.now()?.push.token(),
    signal: (name, key) => ask(operation.SIGNAL, name, key),
    flush() {
      entries.flush();
      behind.load();
      goOnline();
    },
    shutdown() {
      leave();
      hasEnded = true;
      behind.now()?.end();
      bundles.end();
      waking.end();
      painting.end();
    },
    inspect: () => capturing?.inspect(behind.now()?.push.state()),
  };
}
