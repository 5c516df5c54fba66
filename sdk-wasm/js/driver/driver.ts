/** The driver: one input to the core, then everything carried out that it wants done. */

import { sendBeacon } from '../browser/beacon.ts';
import { binaryBytes, binaryText } from '../browser/binary.ts';
import { openEntries } from '../browser/entries.ts';
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
  IDENTIFY,
  INSPECT,
  LANE,
  type Metadata,
  ONLINE,
  RESET,
  RESTORE,
  SIGNAL,
  START,
  STORED_EVENT,
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
import { adopt } from './adoption.ts';
import { eventBytes, writeBatch } from './batch.ts';
import { openBundles } from './bundles.ts';
import { changesOf, decisionOf } from './decisions.ts';
import { openDelivery } from './delivery.ts';
import type { Driving } from './driving.ts';
import { type KeptEvent, openEvents } from './events.ts';
import { MAX_LANE_MS, openLanes } from './lanes.ts';
import { openPush } from './push.ts';
import { refusalText } from './refusal.ts';

/** Key of the `anonymous_id`. */
const MEMBER = 'member';
/** Keys under which the core stores something of its own. */
const ENTRIES = ['base', 'latches', 'user'] as const;
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
  storage: KeyValue | undefined;
  session: string;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** Starts a client with what is stored of its member; the lanes of other page loads follow in a later task. */
export function startDriver({ exports, host, settings, storage, session, ended }: Start): Driver {
  const space = `attune/${settings.writeKey}/`;
  const entries = openEntries(storage, space, () => {
    report('storage_full', 'localStorage is full; what is not delivered is lost with the page');
  });
  const events = openEvents(entries);
  const lanes = openLanes(space);
  const wake = timer();
  let member = entries.get(MEMBER) || freshId();
  let lane = freshId();
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
  let farewells: string[] = [];
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
  const forgetUnreadable = (key: string) => {
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
    }
    if (newMember === member) return;
    member = newMember;
    user = undefined;
    entries.put(MEMBER, () => member);
    push.forget();
    // Another visitor may get another candidate.
    bundles.fetch();
  };
  const writeRequest = (...request: Request) => {
    const [id, , , , numbers] = request;
    const rows = numbers.flatMap((number) => events.get(...number) ?? []);
    const body = writeBatch(request, rows, contextText, wallMs());
    if (id) delivery.send(id, body);
    else farewells.push(body);
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
    (seq) => tracked && events.keep(Object.assign(tracked, { seq })),
    events.settle,
    events.forget,
    (entry, bytes) => {
      entries.put(ENTRIES[entry] as string, () => (entry > 1 ? textOf : binaryText)(bytes));
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
    carryOut(act);
    delivery.request();
  };
  const ask: Driving['ask'] = (...call) => {
    answer = undefined;
    core(...call);
    return answer;
  };
  const driving: Driving = {
    core,
    ask,
    isEnded: () => hasEnded,
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
  const bundles = openBundles(driving, settings, host.ready);
  const push = openPush(driving, entries, heardOf);
  const delivery = openDelivery(driving, (receipt, isOfMember) => {
    if (isOfMember) push.noteTokens(receipt.memberToken, receipt.streamToken);
    heardOf(receipt.bundleRevision);
  });

  /** A lane ends with its page, and after 24 h. */
  const openLane = () => {
    if (wallMs() - laneSinceMs >= MAX_LANE_MS && !hasEnded) core(LANE, freshId());
  };
  /** Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it. */
  const sayFarewell = (leaves: boolean) => {
    farewells = [];
    carryOut(() => core(FAREWELL, leaves));
    entries.flush();
    // The browser takes 64 KiB at a time; what it does not take waits in the store.
    farewells.every((body) => sendBeacon(driving.url('/v1/events'), body));
  };
  const leave = () => {
    laneSinceMs = 0;
    sayFarewell(true);
    push.close();
    // A page that holds a lock is not kept in the back/forward cache.
    lanes.release();
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

  /** Takes stored entries back once it is known whose they are; only then may anything else happen. */
  const begin = async () => {
    const adopted = await adopt(entries, lanes);
    const [base, latches] = ENTRIES.map((key) => {
      const text = entries.get(key);
      return text === undefined ? text : binaryBytes(text);
    });
    user = entries.get(ENTRIES[2]);
    input(() => {
      core(RESTORE, base, latches, user, adopted.lanes);
      adopted.unreadable.forEach(forgetUnreadable);
      for (const event of adopted.events.sort(inOrder)) {
        events.take(event);
        const { priority, isSettled, id, type, ms, seq } = event;
        const head = [priority, isSettled, event.member, event.lane, seq] as const;
        core(STORED_EVENT, ...head, id, type, ms, event.session, ...sizesOf(event));
      }
      core(WAKE);
    });
    const turns = {
      hidden() {
        sayFarewell(false);
        push.rest();
      },
      visible: push.open,
      leaving: leave,
      restored() {
        openLane();
        judgeAnew();
        push.open();
        bundles.fetch();
      },
      online() {
        goOnline();
        push.open();
      },
    };
    watchTurns(turns, ended);
    host.started();
    bundles.fetch();
    push.open();
  };

  if (!entries.get(MEMBER)) entries.put(MEMBER, () => member);
  lanes.hold(lane);
  core(START, member, lane, session);
  if (!storage) {
    report('storage_blocked', 'localStorage is blocked; what is not delivered is lost with the page');
  }
  begin();

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
      if (priority === CRITICAL) entries.flushSoon();
    },
    identify(id) {
      openLane();
      input(() => {
        core(IDENTIFY, id, freshId(), freshId());
        user = id;
      });
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
      hasFailed = false;
      input(() => core(CONTEXT, byteLength(contextText), context), CONTEXT_VALUES);
      // What the core does not take must not stand in the way of the next change.
      if (hasFailed) [context, contextText] = before;
    },
    consent(granted) {
      input(() => core(CONSENT, granted));
    },
    follow(other, session) {
      if (other !== member) input(() => core(FOLLOW, other, freshId(), session));
    },
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
      wake.clear();
      page.clear();
    },
    inspect,
  };
}

/** The bytes that an event takes in a batch at most, and its metadata as the core takes it. */
function sizesOf({ metadata: text, ...event }: KeptEvent): [bytes: number, metadata: Metadata | undefined] {
  if (text === undefined) return [eventBytes(event), text];
  const bytes = byteLength(text);
  return [eventBytes(event) + bytes, [bytes, JSON.parse(text)]];
}

/** Oldest first; those of one instant by lane and number. */
function inOrder(one: KeptEvent, other: KeptEvent): number {
  return (
    one.ms - other.ms || Number(one.lane > other.lane) - Number(one.lane < other.lane) || one.seq - other.seq
  );
}

function freshId(): string {
  return uuidV7(wallMs());
}
