/**
 * What stands in for the driver where WebAssembly is refused: stores events and sends them in order, on one plain timer,
 * until a receipt names them. There are no rules and no signals, and having no filter it sends metadata only of the types that the site has listed.
 */

import { sendBeacon } from './browser/beacon.ts';
import type { Change } from './browser/database.ts';
import { pack } from './browser/gzip.ts';
import { post } from './browser/http.ts';
import { timer } from './browser/timer.ts';
import { watchTurns } from './browser/turns.ts';
import { wallMs } from './clock.ts';
import type { Declaration } from './core/effects.ts';
import { textOf } from './core/reader.ts';
import { byteLength } from './core/writer.ts';
import { adoptLanes } from './driver/adopting.ts';
import { readLanes, sortOut } from './driver/adoption.ts';
import { writeBatch } from './driver/batch.ts';
import type { Driver, Start } from './driver/contract.ts';
import type { KeptEvent } from './driver/events.ts';
import { lanesIn } from './driver/lanes.ts';
import { readReceipt, textIn } from './driver/receipt.ts';
import { retryAfterMs } from './driver/retry.ts';
import { BLOCKED, MEMBER, TOKEN } from './driver/state.ts';
import { AttuneError } from './errors.ts';
import { freshId } from './fresh-id.ts';
import { fieldsOf, jsonText, parseJson } from './json.ts';

/** Pause after an answer that was no receipt, and where the collector refuses the page or requests are blocked. */
const PAUSE_MS = 30_000;
const REFUSED_MS = 300_000;
/** Requests without an answer, before the first one, after which a page asks no more by itself; the last is the probe. */
const MAX_SILENT = 4;
/** More requests than any page makes. */
const ANY = 1e9;
/** Events and bytes of a body: as in the core. */
const MAX_BATCH_EVENTS = 250;
const MAX_BATCH_BYTES = 48 * 1_024;
/** Events that wait at most; beyond, the oldest are given up. */
const MAX_EVENTS = 2_000;
/** Bytes of an event's metadata that the collector takes. */
const MAX_METADATA_BYTES = 32 * 1_024;
/** Age at which an event is given up. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** Whoever has WebAssembly, and may not use it, has a policy that says so; in others the browser itself does without. */
function refusal(): AttuneError {
  const isThere = typeof WebAssembly !== 'undefined';
  const needed = isThere ? "; the page's policy needs script-src 'wasm-unsafe-eval'" : '';
  return new AttuneError(
    'wasm_unavailable',
    `WebAssembly is refused here: events are sent, nothing is decided${needed}`,
    isThere ? 'usage' : 'environment',
  );
}

/** Starts without the core. */
export function startPlain(start: Start): Driver {
  const { host, settings, storage, entries, lanes, ended } = start;
  const space = `attune/${settings.writeKey}/`;
  const due = timer();
  const storedText = (stored: Change[], name: string) => textIn(stored.find(([key]) => key === name)?.[1]);
  const memberIn = (stored: Change[]) =>
    storage.getItem(space + MEMBER) || storedText(stored, MEMBER) || freshId();
  let member = memberIn(start.stored ?? []);
  let { lane } = start;
  let count = 0;
  let user: string | undefined;
  /** What waits, in the order in which it leaves. */
  let waiting: KeptEvent[] = [];
  let given: Declaration[] = [];
  /** How many events the next body takes at most. */
  let limit = MAX_BATCH_EVENTS;
  /** What is on its way, while something is. */
  let sending: KeptEvent[] | undefined;
  let hasEnded = false;
  let visits = 0;
  /** How many requests in a row may stay without an answer; where the collector has answered, any number. */
  let patience = MAX_SILENT;
  /** Whether the page has been told that its requests are blocked. */
  let isTold = false;
  /** Before this time nobody who looks at the page has a blocked one ask. */
  let restsUntilMs = 0;

  const url = () => `${settings.collector}/v1/events?k=${settings.writeKey}`;
  const report = (...error: ConstructorParameters<typeof AttuneError>) =>
    host.report(new AttuneError(...error));
  const giveUp = (rows: KeptEvent[], code: string, why: string) => {
    if (rows.length === 0) return;
    const gone = new Set(rows);
    waiting = waiting.filter((event) => !gone.has(event));
    for (const event of rows) {
      entries.delete([event.lane, event.seq]);
      given.push([0, event.member, event.lane, event.seq, event.seq]);
    }
    report(code, `${rows.length} events are given up: ${why}`);
  };
  /** The next body, and the events in it. */
  const cut = (): [rows: KeptEvent[], text: string] => {
    const rows: KeptEvent[] = [];
    let bytes = 0;
    for (const event of waiting.slice(0, limit)) {
      bytes += 400 + byteLength(event.metadata ?? '') + byteLength(event.type);
      if (rows.length > 0 && bytes > MAX_BATCH_BYTES) break;
      rows.push(event);
    }
    const request = [1, member, lane, 1, [], given, 0, 0, 0] as Parameters<typeof writeBatch>[0];
    return [rows, writeBatch(request, rows, jsonText({ page: { path: location.pathname } }), wallMs())];
  };
  const later = (ms: number, isAsked = patience > 0) => {
    if (!hasEnded && isAsked) due.set(ms, send);
    else due.clear();
  };
  const ask = () => later(0, true);
  const seen = () => {
    if (patience < 2) {
      if (wallMs() < restsUntilMs) return;
      restsUntilMs = wallMs() + REFUSED_MS;
    }
    ask();
  };
  const send = async () => {
    if (sending || hasEnded || (waiting.length === 0 && given.length === 0)) return;
    if (navigator.onLine === false) return later(PAUSE_MS);
    giveUp(
      waiting.filter(({ ms }) => wallMs() - ms > MAX_AGE_MS),
      'expired',
      'they have waited for 7 days',
    );
    const [rows, text] = cut();
    sending = rows;
    const declared = given.length;
    const visit = visits;
    const sender = member;
    const answer = await post(url(), await pack(new TextEncoder().encode(text)));
    sending = undefined;
    patience = answer ? ANY : patience - 1;
    if (answer) storage.removeItem(space + BLOCKED);
    else if (patience < 2 && !isTold) {
      isTold = true;
      storage.setItem(space + BLOCKED, '1');
      host.tell('collector_blocked');
    }
    // What belonged to somebody who has been forgotten is gone already.
    if (visit !== visits) return later(0);
    const body = answer && parseJson(textOf(answer.body));
    const receipt = answer?.status === 200 ? readReceipt(body) : undefined;
    if (!receipt) return turnedDown(rows, answer?.status, answer?.retryAfter ?? null, body);
    const again = new Set(receipt.rows.filter((row) => row.result === 'retry').map((row) => row.event_id));
    for (const { event_id, result, code, message } of receipt.rows) {
      const what = `event ${event_id}: ${textIn(code) ?? ''}: ${textIn(message) ?? ''}`;
      if (result !== 'retry') report(result === 'warning' ? 'event_warning' : 'event_rejected', what);
    }
    const taken = new Set(rows.filter(({ id }) => !again.has(id)));
    for (const event of taken) entries.delete([event.lane, event.seq]);
    waiting = waiting.filter((event) => !taken.has(event));
    given = given.slice(declared);
    if (receipt.memberToken && sender === member)
      storage.setItem(space + TOKEN, `${member}\n${receipt.memberToken}`);
    limit = MAX_BATCH_EVENTS;
    later(again.size ? PAUSE_MS : 0);
  };
  const turnedDown = (
    rows: KeptEvent[],
    status: number | undefined,
    retryAfter: string | null,
    body: unknown,
  ) => {
    const { message } = fieldsOf(body);
    if (status === 413 && rows.length === 1) giveUp(rows, 'event_too_large', String(message));
    if (status === 413) {
      limit = Math.max(1, Math.floor(rows.length / 2));
      return later(0);
    }
    const isRefused = [401, 403, 404, 405].includes(status ?? 0);
    if (isRefused) report('collector_refused', `${url()} refuses events: ${status}: ${message}`, 'usage');
    later(retryAfterMs(retryAfter, wallMs()) ?? (isRefused || patience < 2 ? REFUSED_MS : PAUSE_MS));
  };
  const begin = async (stored: Change[]) => {
    const visit = visits;
    if (storage.getItem(space + BLOCKED)) patience = 1;
    storage.setItem(space + MEMBER, member);
    entries.put(MEMBER, () => member);
    const known = lanesIn(stored).filter((known) => known !== lane);
    const over = await adoptLanes(lanes, known);
    const found = sortOut(await readLanes(entries, over));
    if (visit !== visits) return host.started([]);
    user = storedText(stored, 'user');
    waiting = [...found.events.filter(({ isSettled }) => !isSettled), ...waiting];
    for (const [, lane] of found.lanes)
      if (!found.events.some((event) => event.lane === lane)) entries.delete(`lane/${lane}`);
    for (const [key] of found.calls) entries.delete(key);
    host.started(found.calls.map(([, call]) => call));
    later(0);
  };
  const renewLane = () => {
    lane = freshId();
    count = 0;
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
    const [rows, text] = cut();
    if (rows.length > 0 && !sending) sendBeacon(url(), text);
    lanes.release();
  };

  watchTurns(
    {
      hidden: () => entries.flush(),
      visible: seen,
      leaving: leave,
      restored() {
        renewLane();
        seen();
      },
      online: ask,
    },
    ended,
  );
  if (start.stored) begin(start.stored);
  // What the loader has painted is all there is.
  settings.first?.settle(undefined);

  const whole = Promise.reject(refusal());
  // It fails where it is waited for.
  whole.catch(() => {});

  return {
    isWaiting: () => false,
    isShort: () => false,
    whole,
    track({ metadata, ...capture }) {
      const isListed = settings.withoutWasm.includes(capture.type);
      const isSmall = byteLength(metadata ?? '') <= MAX_METADATA_BYTES;
      if (!isSmall) report('metadata_too_large', `${capture.type}: metadata is left out`);
      const kept = isListed && isSmall ? metadata : undefined;
      const event = { ...capture, metadata: kept, member, lane, seq: ++count, user, isSettled: false };
      entries.put([lane, event.seq], () => event);
      entries.put(`lane/${lane}`, () => [event.member, event.lane, event.seq]);
      waiting.push(event);
      const over = Math.max(0, waiting.length - MAX_EVENTS);
      giveUp(waiting.filter((one) => !sending?.includes(one)).slice(0, over), 'buffer_full', 'too many wait');
      if (!due.isSet()) later(0);
    },
    identify(id) {
      if (user !== undefined && user !== id) becomes(freshId());
      user = id;
      entries.put('user', () => id);
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
      waiting = [];
      given = [];
      becomes(freshId());
    },
    follow(other) {
      if (other !== member) becomes(other);
    },
    token() {
      const stored = storage.getItem(space + TOKEN) ?? '';
      return stored.startsWith(`${member}\n`) ? stored : undefined;
    },
    takeToken() {},
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
      const { length } = waiting;
      return { core: [[], length, 0, 0, 0, 0, 0], member, lane, user_id: user ?? null, stream: 'closed' };
    },
  };
}
