/** What the core wants done, read from the output of an operation and handed to whoever does it. */

import type { Json, JsonObject } from '../context.ts';
import { type Action, readAction } from './action.ts';
import type { Reader } from './reader.ts';

/** Names under which the core stores something of its own. */
export type EntryName = 'base' | 'latches' | 'user';

/** What fills a slot now. */
export interface Filling {
  rule: string;
  key: string | undefined;
  reason: 'level' | 'latched';
  sinceMs: number;
  actions: Action[];
}

/** A batch that is to be written and sent. */
export interface Request {
  /** Names it in `outcome`; 0 where the page leaves and no answer is waited for. */
  id: number;
  member: string;
  lane: string;
  withContext: boolean;
  events: { lane: string; seq: number }[];
  void: { member: string; lane: string; from: number; to: number }[];
  closed: { member: string; lane: string; count: number }[];
  dropped: { queue_full: number; expired: number; rejected: number };
}

/** How delivery and signals stand. */
export interface CoreInspection {
  signals: JsonObject;
  queue: { events: number; bytes: number; in_flight: number; failures: number; breaker_open: boolean };
  bundle_revision: number;
}

/** Carries effects out. None of it may call the core: the rest of the output has not been read yet. */
export interface Effects {
  kept(seq: number): void;
  settled(lane: string, seq: number): void;
  forgotten(lane: string, seq: number): void;
  put(name: EntryName, bytes: Uint8Array<ArrayBuffer>): void;
  delete(name: EntryName): void;
  laneForgotten(lane: string): void;
  decision(slot: string, filling: Filling | undefined): void;
  shown(rule: string, key: string): void;
  sender(member: string, lane: string): void;
  refused(code: string, actual: number, limit: number): void;
  request(request: Request): void;
  wait(atMs: number): void;
  wake(atMs: number): void;
  failed(code: string): void;
  unreadable(name: EntryName): void;
}

/** Carries out one output in its order; returns what it answers, if the operation was a question. */
export function carryOut(reader: Reader, effects: Effects): unknown {
  const text = () => reader.text();
  const count = () => reader.count();
  const lane = () => reader.uuid();
  const entry = () => ENTRY_NAMES[reader.byte()] as EntryName;
  let answer: unknown;
  while (!reader.isDone) {
    const kind = reader.byte();
    if (kind === 1) effects.kept(count());
    else if (kind === 2) effects.settled(lane(), count());
    else if (kind === 3) effects.forgotten(lane(), count());
    else if (kind === 4) effects.put(entry(), reader.bytes());
    else if (kind === 5) effects.delete(entry());
    else if (kind === 6) effects.laneForgotten(lane());
    else if (kind === 7) effects.decision(text(), readFilling(reader));
    else if (kind === 8) effects.shown(text(), text());
    else if (kind === 9) effects.sender(text(), lane());
    else if (kind === 10) effects.refused(text(), count(), count());
    else if (kind === 11) effects.request(readRequest(reader));
    else if (kind === 12) effects.wait(reader.float());
    else if (kind === 13) effects.wake(reader.float());
    else if (kind === 14) answer = reader.value();
    else if (kind === 15) effects.failed(text());
    else if (kind === 16) effects.unreadable(entry());
    else if (kind === 17) answer = readInspection(reader);
    else throw new RangeError(`the core has no effect ${kind}`);
  }
  return answer;
}

const ENTRY_NAMES: EntryName[] = ['base', 'latches', 'user'];

function readFilling(reader: Reader): Filling | undefined {
  const text = () => reader.text();
  return reader.option(() => ({
    rule: text(),
    key: reader.option(text),
    reason: reader.byte() ? 'latched' : 'level',
    sinceMs: reader.float(),
    actions: reader.list(() => readAction(reader)),
  }));
}

function readRequest(reader: Reader): Request {
  const member = () => reader.text();
  const lane = () => reader.uuid();
  const count = () => reader.count();
  return {
    id: count(),
    member: member(),
    lane: lane(),
    withContext: reader.flag(),
    events: reader.list(() => ({ lane: lane(), seq: count() })),
    void: reader.list(() => ({ member: member(), lane: lane(), from: count(), to: count() })),
    closed: reader.list(() => ({ member: member(), lane: lane(), count: count() })),
    dropped: { queue_full: count(), expired: count(), rejected: count() },
  };
}

function readInspection(reader: Reader): CoreInspection {
  const count = () => reader.count();
  return {
    signals: reader.value() as { [name: string]: Json },
    queue: {
      events: count(),
      bytes: count(),
      in_flight: count(),
      failures: count(),
      breaker_open: reader.flag(),
    },
    bundle_revision: count(),
  };
}
