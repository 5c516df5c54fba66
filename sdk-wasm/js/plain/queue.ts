/** Events that wait where there is no core, by the rules of its queue but for the breaker: what leaves next, and what never. */

import type { Declaration } from '../core/effects.ts';
import { byteLength } from '../core/writer.ts';
import { eventBytes } from '../driver/batch.ts';
import type { KeptEvent } from '../driver/events.ts';
import type { Drops } from '../filter/judges.ts';

/** Limits of the core: a body's events and bytes, what waits in all, how old it gets and how often it is put off. */
const MAX_BATCH_EVENTS = 250;
const MAX_BATCH_BYTES = 48 * 1_024;
const MAX_QUEUE_BYTES = 1_024 * 1_024;
const MAX_AGE_MS = 7 * 24 * 3_600_000;
const MAX_ATTEMPTS = 1_000;
/** Bytes of a body beside its events, and of a declaration in it. */
const ENVELOPE_BYTES = 384;
const DECLARATION_BYTES = 128;
/** Declarations of a body at most, so that events find room beside them. */
const MAX_DECLARATIONS = 100;
const CRITICAL = 2;

/** Why an event is given up here, as the collector is told; what it has refused itself is `rejected`. */
export type Reason = 'queue_full' | 'expired';

/** What leaves together. */
export interface Body {
  rows: KeptEvent[];
  declared: Declaration[];
  /** What has been dropped of the lane, by reason. */
  drops: Drops;
}

/** Events that wait, those on their way among them. */
export interface Queue {
  /** Takes events in behind the others, or before them; gives up what is too much then. */
  take(events: KeptEvent[], isEarlier?: boolean): void;
  /** The next body, beside one that is on its way; nothing where nothing is to be said. */
  cut(nowMs: number): Body | undefined;
  /** A body is on its way, or no more. */
  fly(body: Body | undefined): void;
  /** When the next body may leave: 0 for at once, and nothing where there is none. */
  dueMs(nowMs: number): number | undefined;
  /** A body has arrived, but for what is `refused` and what comes `again` after a while. */
  land(body: Body, refused: Set<string>, again: Set<string>, laterMs: (attempts: number) => number): void;
  /** A body has not arrived, and another try may do better. */
  tried(body: Body): void;
  /** A body was refused as a whole: gives the culprits among its events up, which it returns; nothing where they are not known yet. */
  split(body: Body, offending: number[]): KeptEvent[] | undefined;
  /** Gives up what is too old, or has been tried too often. */
  expire(nowMs: number): void;
  /** Counts what has been dropped before it came here. */
  count(code: string, events?: number): void;
  /** A lane begins, which tells what is not told yet. */
  renew(): void;
  /** Forgets everything. */
  clear(): void;
  /** How many events wait. */
  length(): number;
}

interface Waiting {
  event: KeptEvent;
  bytes: number;
  attempts: number;
  /** It stays until then. */
  fromMs: number;
}

/** An empty queue; `gone` hears of what is given up by itself. */
export function openQueue(gone: (events: KeptEvent[], reason: Reason) => void): Queue {
  let waiting: Waiting[] = [];
  let given: Declaration[] = [];
  /** What has been dropped since the lane began, and how much of it the collector knows. */
  let drops: Drops = {};
  let known: Drops = {};
  let total = 0;
  let flying: Body | undefined;
  /** How many events, or declarations where these travel alone, the next body takes at most. */
  let limit = MAX_BATCH_EVENTS;
  /** Whether events and declarations travel in bodies of their own. */
  let isApart = false;

  const isFlying = (event: KeptEvent) => flying?.rows.includes(event);
  const remove = (events: KeptEvent[]) => {
    const all = new Set(events);
    waiting = waiting.filter(({ event }) => !all.has(event));
    total = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  const declare = ({ member, lane, seq }: KeptEvent) => {
    const last = given.at(-1);
    // What is on its way stays as it was written.
    const isOpen = last && !flying?.declared.includes(last) && last[1] === member && last[2] === lane;
    if (isOpen && last[4] === seq - 1) last[4] = seq;
    else given.push([0, member, lane, seq, seq]);
  };
  const count = (code: string, events = 1) => {
    drops[code] = (drops[code] ?? 0) + events;
  };
  const drop = (events: KeptEvent[], reason: string) => {
    if (events.length === 0) return;
    remove(events);
    events.forEach(declare);
    count(reason, events.length);
  };
  const giveUp = (events: KeptEvent[], reason: Reason) => {
    drop(events, reason);
    if (events[0]) gone(events, reason);
  };
  const bound = () => {
    let over = total - MAX_QUEUE_BYTES;
    if (over <= 0) return;
    const victims: KeptEvent[] = [];
    const free = waiting.filter(({ event }) => !isFlying(event));
    // Sorting keeps the order of those that are alike.
    for (const { event, bytes } of free.sort((one, other) => one.event.priority - other.event.priority)) {
      if (over <= 0) break;
      victims.push(event);
      over -= bytes;
    }
    giveUp(victims, 'queue_full');
  };
  const put = (event: KeptEvent): Waiting => {
    const bytes = eventBytes(event) + byteLength(event.metadata ?? '');
    total += bytes;
    return { event, bytes, attempts: 0, fromMs: 0 };
  };
  return {
    take(events, isEarlier) {
      const more = events.map(put);
      if (isEarlier) waiting = [...more, ...waiting];
      else waiting.push(...more);
      bound();
    },
    cut(nowMs) {
      const rows: KeptEvent[] = [];
      const due = waiting.filter(({ event, fromMs }) => fromMs <= nowMs && !isFlying(event));
      const isFirst = ({ event }: Waiting) => event.priority === CRITICAL;
      const inOrder = [...due.filter(isFirst), ...due.filter((one) => !isFirst(one))];
      const declared = isApart && inOrder[0] ? [] : given.slice(0, Math.min(limit, MAX_DECLARATIONS));
      let left = MAX_BATCH_BYTES - ENVELOPE_BYTES - declared.length * DECLARATION_BYTES;
      for (const { event, bytes } of inOrder.slice(0, limit)) {
        left -= bytes;
        if (rows.length > 0 && left < 0) break;
        rows.push(event);
      }
      return rows[0] || declared[0] ? { rows, declared, drops: { ...drops } } : undefined;
    },
    fly(body) {
      flying = body;
    },
    dueMs(nowMs) {
      if (given[0] || waiting.some(({ fromMs }) => fromMs <= nowMs)) return 0;
      return waiting[0] && Math.min(...waiting.map(({ fromMs }) => fromMs)) - nowMs;
    },
    land({ rows, declared, drops: told }, refused, again, laterMs) {
      known = told;
      limit = Math.min(MAX_BATCH_EVENTS, limit * 2);
      given = given.filter((one) => !declared.includes(one));
      isApart &&= given.length > 0;
      remove(rows.filter(({ id }) => !again.has(id) && !refused.has(id)));
      drop(
        rows.filter(({ id }) => refused.has(id)),
        'rejected',
      );
      for (const one of waiting) {
        if (!again.has(one.event.id)) continue;
        one.attempts += 1;
        one.fromMs = laterMs(one.attempts);
      }
    },
    tried({ rows }) {
      for (const one of waiting) if (rows.includes(one.event)) one.attempts += 1;
    },
    split({ rows, declared }, offending) {
      const named = offending.flatMap((place) => rows[place] ?? []);
      const size = rows.length + declared.length;
      if (!named[0] && size > 1) {
        if (rows[0] && declared[0]) isApart = true;
        else limit = Math.ceil(size / 2);
        return undefined;
      }
      if (!rows[0]) given = given.filter((one) => !declared.includes(one));
      const culprits = named[0] ? named : rows;
      drop(culprits, 'rejected');
      return culprits;
    },
    expire(nowMs) {
      const isOver = ({ event, attempts }: Waiting) =>
        nowMs - event.ms > MAX_AGE_MS || attempts >= MAX_ATTEMPTS;
      giveUp(
        waiting.filter(isOver).map(({ event }) => event),
        'expired',
      );
    },
    count,
    renew() {
      // What is on its way counts as told.
      const told = flying?.drops ?? known;
      const untold = Object.entries(drops).map(([code, total]) => [code, total - (told[code] ?? 0)] as const);
      drops = Object.fromEntries(untold.filter(([, total]) => total > 0));
      known = {};
      if (flying) flying.drops = known;
    },
    clear() {
      waiting = [];
      given = [];
      drops = known = {};
      total = 0;
      isApart = false;
      limit = MAX_BATCH_EVENTS;
    },
    length: () => waiting.length,
  };
}
