/**
 * What stands in for the driver where WebAssembly is refused, or does not come: stores events and sends them in order, on
 * one plain timer, until a receipt names them. There are no rules and no signals, and where no
 * policy forbids that, metadata is sent only of the types that the site has listed.
 */

import type { Change } from './browser/database.ts';
import { pack } from './browser/gzip.ts';
import type { Answer } from './browser/http.ts';
import { inTime } from './browser/in-time.ts';
import { insist } from './browser/insist.ts';
import { timer } from './browser/timer.ts';
import { type Turns, watchTurns } from './browser/turns.ts';
import { wallMs } from './clock.ts';
import { textOf } from './core/reader.ts';
import { byteLength } from './core/writer.ts';
import { writeBatch } from './driver/batch.ts';
import type { Driver, Start, StartDriver } from './driver/contract.ts';
import { lanesIn } from './driver/lanes.ts';
import { openLastWords } from './driver/last-words.ts';
import { type Receipt, readReceipt, textIn } from './driver/receipt.ts';
import { retryAfterMs } from './driver/retry.ts';
import { BLOCKED, MEMBER, POLICY, stateIn, TOKEN } from './driver/state.ts';
import { openTail } from './driver/tail.ts';
import { AttuneError } from './errors.ts';
import { freshId } from './fresh-id.ts';
import { fieldsOf, isObject, jsonText, parseJson } from './json.ts';
import type { Settings } from './options.ts';
import { asOne, type Beside } from './plain/beside.ts';
import { failureOf } from './plain/late.ts';
import { type Body, openQueue, type Reason } from './plain/queue.ts';
import type { PlainPolicy } from './plain-policy.ts';

/** Pause where there is no network and no answer, and where the collector refuses the page or requests are blocked. */
const PAUSE_MS = 30_000;
const REFUSED_MS = 300_000;
/** The ceiling of the pause after a failure that another try may mend, which doubles with each in a row up to the other. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** The longest pause that a collector may ask for. */
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;
/** Requests without an answer, before the first one, after which a page asks no more by itself; the last is the probe. */
const MAX_SILENT = 4;
/** More requests than any page makes. */
const ANY = 1e9;
/** Bytes of an event's metadata that the collector takes. */
const MAX_METADATA_BYTES = 31 * 1_024;
const CRITICAL = 2;
/** Time for which another part is waited for. */
const PART_MS = 2_000;
/** What a page is told of a core that does not come. */
const SILENCE = 'the WebAssembly has not come within a minute: events are sent';
/** Statuses after which another try may do better, one without a receipt among them. */
const MENDS = /^(2..|408|425|429|5(?!01|05)..)$/;
/** How the page is told of events that are given up, and why. */
const GIVEN_UP: Record<Reason, [code: string, why: string]> = {
  queue_full: ['buffer_full', 'too many wait'],
  expired: ['expired', 'they have waited for 7 days, or left 1,000 times'],
};

/** Whoever has WebAssembly, and may not use it, has a policy that says so; in others the browser itself does without. */
function unavailable(): AttuneError {
  const isThere = typeof WebAssembly !== 'undefined';
  const needed = isThere ? "; the page's policy needs script-src 'wasm-unsafe-eval'" : '';
  return new AttuneError(
    'wasm_unavailable',
    `WebAssembly is refused here: events are sent, nothing is decided${needed}`,
    isThere ? 'usage' : 'environment',
  );
}

/** What judges by the site's policy, where it has one; fails with the `failure` where that does not load. */
async function policyOf({ filter }: Settings, failure: unknown): Promise<PlainPolicy | undefined> {
  if (!isObject(filter)) return undefined;
  const { openPolicy } = await import('./plain-policy.ts').catch(() => Promise.reject(failure));
  return openPolicy(filter);
}

/**
 * What is made of the absence of what is `awaited`: of the core, which has failed or does not come, what starts without it; of
 * what makes a core whole that runs, what delivers `beside` it. Nothing is awaited where WebAssembly is refused. If it
 * comes after all, it is what is given. Fails with `filter_invalid`, and with any other cause than the core's.
 */
export async function openPlain<Value>(
  settings: Settings,
  awaited?: Promise<Value>,
  ...beside: Beside | []
): Promise<Value> {
  const silence = `${SILENCE}, ${beside[0] ? 'and change no decision' : 'nothing is decided'}`;
  const failure = awaited ? await failureOf(awaited, silence) : unavailable();
  if (awaited && !failure) return awaited;
  // Another driver than a core that only decides is whole from its start on, or fails for good.
  if (beside[0]?.isShort() ?? fieldsOf(failure).code === 'wasm_unavailable') {
    const policy = await policyOf(settings, failure);
    if (!beside.length) return startsWith(policy, failure) as Value;
    const cause = await missing(settings, failure);
    deliver(policy, cause, beside);
    throw cause;
  }
  throw failure;
}

/** Which of the two it is that a core is in want of; of a part the page has been told when that failed. */
async function missing({ loadCapturing }: Settings, failure: unknown): Promise<unknown> {
  // What is there already comes at once.
  const isThere = await inTime(loadCapturing(0), PART_MS).then(
    () => true,
    () => false,
  );
  const why = 'what tracks did not load: events are sent, and change no decision';
  return isThere ? failure : new AttuneError('part_unavailable', why);
}

/** What starts in place of the core. */
function startsWith(policy: PlainPolicy | undefined, failure: unknown): StartDriver {
  return (start) => {
    // What the loader has painted is all there is.
    start.settings.first?.settle(undefined);
    return startPlain(start, policy, failure);
  };
}

/** Delivers beside a core that decides, for want of what the `failure` says. */
function deliver(policy: PlainPolicy | undefined, failure: unknown, [deciding, start, become]: Beside): void {
  const { settings, storage, host, entries, ended, session } = start;
  // It may have come while it was asked what is missing.
  if (ended.aborted || !deciding.isShort()) return;
  const hasPolicy = storage.getItem(`attune/${settings.writeKey}/${POLICY}`) !== null;
  let isOpen = false;
  const own: Partial<Start> = {
    stored: undefined,
    awaitsPolicy: start.awaitsPolicy || hasPolicy || deciding.isWaiting(),
    host: {
      ...host,
      started(calls) {
        isOpen = true;
        host.started(calls);
      },
    },
  };
  const plain = startPlain({ ...start, ...own }, policy, failure);
  // What the core has done with the calls of earlier pages is not to be read as it was.
  entries.flush();
  become(asOne(deciding, plain, session, () => isOpen));
}

function startPlain(start: Start, policy: PlainPolicy | undefined, failure: unknown): Driver {
  const { host, settings, storage, entries, lanes, ended } = start;
  /** The policy of the bundle cannot be read: nothing is stored of what it would judge, and the collector does it. */
  const isBlind = start.awaitsPolicy;
  /** Whether events say no more than who, what and when. */
  const isBare = isBlind || policy?.isBare;
  const space = `attune/${settings.writeKey}/`;
  const memberIn = (stored: Change[]) =>
    storage.getItem(space + MEMBER) || stateIn(stored).member || freshId();
  let member = memberIn(start.stored ?? []);
  let { lane } = start;
  let count = 0;
  let user: string | undefined;
  /** Whether a body is on its way. */
  let isSending = false;
  /** The body whose request ends with the page. */
  let exposed: Body | undefined;
  let hasEnded = false;
  let visits = 0;
  /** How many requests in a row may stay without an answer; where the collector has answered, any number. */
  let patience = MAX_SILENT;
  /** Whether the page has been told that its requests are blocked. */
  let isTold = false;
  /** Before this time nobody who looks at the page has a blocked one ask. */
  let restsUntilMs = 0;
  /** Failures in a row that another try may mend. */
  let failures = 0;
  /** Nothing leaves before this time of the page's own clock, nor at anybody's wish where the collector has asked for that. */
  let pausedUntilMs = 0;
  let isAskedFor = false;
  /** The refusal that was reported last, so that a repeated one is not. */
  let refusal: number | undefined;

  const url = () => `${settings.collector}/v1/events?k=${settings.writeKey}`;
  const report = (...error: ConstructorParameters<typeof AttuneError>) =>
    host.report(new AttuneError(...error));
  const queue = openQueue((events, reason) => {
    for (const { lane, seq } of events) entries.delete([lane, seq]);
    const [code, why] = GIVEN_UP[reason];
    report(code, `${events.length} events are given up: ${why}`);
  });
  /** A pause after so many failures: exponential with full jitter. */
  const backoffMs = (failures: number) =>
    Math.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (failures - 1));
  /** How many calls that never came here are counted. */
  let lost = 0;
  const cut = () => {
    if (host.lost() > lost) queue.count('queue_full', host.lost() - lost);
    lost = host.lost();
    return queue.cut(wallMs());
  };
  const write = ({ rows, declared, drops }: Body, sentAtMs: number | undefined) => {
    const request = [1, member, lane, 1, [], declared, 0, 0, 0] as Parameters<typeof writeBatch>[0];
    const context = isBare ? '{}' : jsonText({ page: { path: location.pathname } });
    return writeBatch(request, rows, context, sentAtMs, drops);
  };
  const tail = openTail(url);
  const due = timer();
  /** Sends what is due when the pause is over; where requests are blocked, only what is `asked` for. */
  const later = (isAsked = patience > 0) => {
    const inMs = queue.dueMs(wallMs());
    if (hasEnded || inMs === undefined || !isAsked) due.clear();
    else due.set(Math.max(inMs, pausedUntilMs - performance.now()), send);
  };
  const failed = (askedMs?: number) => {
    failures += 1;
    pause(backoffMs(failures), askedMs);
  };
  const pause = (ownMs: number, askedMs?: number) => {
    isAskedFor = askedMs !== undefined;
    pausedUntilMs = performance.now() + Math.max(ownMs, Math.min(askedMs ?? 0, RETRY_AFTER_MAX_MS));
    later();
  };
  const ask = () => {
    if (!isAskedFor) pausedUntilMs = 0;
    later(true);
  };
  const seen = () => {
    if (patience > 1 || wallMs() < restsUntilMs) return;
    restsUntilMs = wallMs() + REFUSED_MS;
    ask();
  };
  const send = async () => {
    if (isSending || hasEnded) return;
    queue.expire(wallMs());
    const body = cut();
    if (!body) return later();
    if (navigator.onLine === false) return pause(PAUSE_MS);
    isSending = true;
    queue.fly(body);
    const visit = visits;
    const sender = member;
    const bytes = await pack(new TextEncoder().encode(write(body, wallMs())));
    // Where requests are blocked, each is to be one.
    const answer = await insist(url(), bytes, patience < 2 ? false : undefined, () => {
      exposed = visit === visits ? body : undefined;
      return exposed !== undefined;
    });
    isSending = false;
    exposed = undefined;
    queue.fly(undefined);
    pausedUntilMs = 0;
    patience = answer ? ANY : patience - 1;
    if (answer) storage.removeItem(space + BLOCKED);
    else if (patience < 2 && !isTold) {
      isTold = true;
      storage.setItem(space + BLOCKED, '1');
      host.tell('collector_blocked', url());
    }
    // What belonged to somebody who has been forgotten is gone already.
    if (visit !== visits) return later();
    const said = answer && parseJson(textOf(answer.body));
    const receipt = answer?.status === 200 ? readReceipt(said) : undefined;
    if (!receipt) return turnedDown(body, answer, fieldsOf(said));
    take(body, receipt);
    if (receipt.memberToken && sender === member)
      storage.setItem(space + TOKEN, `${member}\n${receipt.memberToken}`);
    failures = 0;
    refusal = undefined;
    later();
  };
  const take = (body: Body, { rows }: Receipt) => {
    const named = (kind: string) =>
      new Set(rows.flatMap(({ event_id, result }) => (result === kind ? event_id : [])));
    for (const { event_id, result, code, message } of rows) {
      const what = `event ${event_id}: ${textIn(code) ?? ''}: ${textIn(message) ?? ''}`;
      if (result !== 'retry') report(result === 'warning' ? 'event_warning' : 'event_rejected', what);
    }
    const again = named('retry');
    for (const { id, lane, seq } of body.rows) if (!again.has(id)) entries.delete([lane, seq]);
    queue.land(body, named('rejected'), again, (attempts) => wallMs() + backoffMs(attempts));
  };
  /** What an answer that is no receipt, or none, says of the body and of when to go on; as in the core. */
  const turnedDown = (
    body: Body,
    answer: Answer | undefined,
    { message, offending }: ReturnType<typeof fieldsOf>,
  ) => {
    const { status = 0, retryAfter = null } = answer ?? {};
    const askedMs = retryAfterMs(retryAfter, wallMs());
    if (status === 400 || status === 413) {
      const places = status === 413 && Array.isArray(offending) ? offending : [];
      // Where one after the other is refused, it may be the collector that is ill.
      const culprits = queue.split(body, places);
      for (const { id, lane, seq } of culprits ?? []) {
        entries.delete([lane, seq]);
        report('event_rejected', `event ${id}: ${status}: ${message}`);
      }
      if (culprits) failed();
      else later();
    } else if (!answer) {
      if (patience >= MAX_SILENT) failed();
      else pause(patience < 2 ? REFUSED_MS : PAUSE_MS);
    } else if (MENDS.test(`${status}`)) {
      queue.tried(body);
      failed(askedMs);
    } else {
      const kind = [401, 403, 404, 405].includes(status) ? 'usage' : 'environment';
      if (status !== refusal)
        report('collector_refused', `${url()} refuses events: ${status}: ${message}`, kind);
      refusal = status;
      pause(REFUSED_MS, askedMs);
    }
  };
  /** What pages that are gone have left; nothing where what reads it does not come. */
  const adopt = async (known: string[]) => {
    if (!known.length) return undefined;
    try {
      const { adoptLanes, readLanes, sortOut } = await inTime(settings.loadRestore(), PART_MS);
      // A core that has begun before has taken over what it cannot deliver.
      const own = known.filter(lanes.owns);
      const others = known.filter((lane) => !lanes.owns(lane));
      return sortOut(await readLanes(entries, [...own, ...(await adoptLanes(lanes, others))]));
    } catch (cause) {
      host.tell('part_unavailable', 'restore.js', String(cause));
      return undefined;
    }
  };
  const begin = async (stored: Change[]) => {
    const visit = visits;
    if (storage.getItem(space + BLOCKED)) patience = 1;
    storage.setItem(space + MEMBER, member);
    entries.put(MEMBER, () => member);
    // Never at once: whoever starts it has to have it first.
    const found = await adopt(lanesIn(stored).filter((known) => known !== lane));
    if (visit !== visits) return host.started();
    user = stateIn(stored, member).user;
    const { events = [], lanes: over = [], calls = [] } = found ?? {};
    queue.take(
      events.filter(({ isSettled }) => !isSettled),
      true,
    );
    for (const [, lane] of over)
      if (!events.some((event) => event.lane === lane)) entries.delete(`lane/${lane}`);
    for (const [key] of calls) entries.delete(key);
    host.started(calls.map(([, call]) => call));
    later();
  };
  /** Whether a user's id may be stored and sent. */
  const mayName = (id: string) => !isBare || (!isBlind && policy?.isHarmless(id));
  const renewLane = () => {
    lane = freshId();
    count = 0;
    queue.renew();
    lanes.hold(lane);
  };
  const becomes = (other: string) => {
    member = other;
    user = undefined;
    storage.setItem(space + MEMBER, member);
    entries.put(MEMBER, () => member);
    entries.delete('user');
    renewLane();
  };
  const leave = () => {
    entries.flush();
    const bodies = [exposed, cut()].filter((body) => body !== undefined);
    tail.hand(
      bodies.map((body) => ({
        rows: body.rows,
        text: (rows, sentAtMs) => write({ ...body, rows }, sentAtMs),
      })),
    );
    lanes.release();
    lastWords.went(true);
  };

  const turns: Turns = {
    hidden: () => entries.flush(),
    visible: seen,
    leaving: leave,
    restored() {
      lastWords.stays();
      tail.seen();
      renewLane();
      seen();
    },
    online: ask,
  };
  const lastWords = openLastWords(turns);
  watchTurns(turns, ended);
  if (start.stored) begin(start.stored);
  const whole = Promise.reject(failure);
  // It fails where it is waited for.
  whole.catch(() => {});

  return {
    isWaiting: () => false,
    isShort: () => false,
    whole,
    track({ metadata, ...capture }) {
      const dropped = policy?.judge(capture.type, member);
      if (dropped) return queue.count(dropped);
      const isListed = !isBare && settings.withoutWasm.includes(capture.type);
      const isSmall = byteLength(metadata ?? '') <= MAX_METADATA_BYTES;
      if (!isSmall) report('metadata_too_large', `${capture.type}: metadata is left out`);
      const kept = isListed && isSmall ? metadata : undefined;
      const named = user !== undefined && mayName(user) ? user : undefined;
      const event = { ...capture, metadata: kept, member, lane, seq: ++count, user: named, isSettled: false };
      if (!isBlind) {
        entries.put([lane, event.seq], () => event);
        entries.put(`lane/${lane}`, () => [event.member, event.lane, event.seq]);
      }
      queue.take([event]);
      if (capture.priority === CRITICAL) entries.flush('strict');
      if (!isSending) later();
      lastWords.changed();
    },
    identify(id) {
      if (user !== undefined && user !== id) becomes(freshId());
      user = id;
      const named = [member, id];
      if (mayName(id)) entries.put('user', () => named);
    },
    reset: () => becomes(freshId()),
    setContext() {},
    consent() {},
    admit(stored, fresh) {
      member = memberIn(stored);
      lane = fresh;
      count = 0;
      begin(stored);
    },
    forget() {
      visits += 1;
      queue.clear();
      exposed = undefined;
      tail.drop();
      becomes(freshId());
      return undefined;
    },
    follow(other) {
      if (other !== member) becomes(other);
    },
    token() {
      const stored = storage.getItem(space + TOKEN) ?? '';
      return stored.startsWith(`${member}\n`) ? stored : undefined;
    },
    signal: () => undefined,
    flush() {
      entries.flush();
      ask();
    },
    shutdown() {
      leave();
      hasEnded = true;
      due.clear();
    },
    inspect() {
      return {
        core: [[], queue.length(), 0, 0, 0, 0, 0],
        member,
        lane,
        user_id: user ?? null,
        stream: 'closed',
      };
    },
  };
}
