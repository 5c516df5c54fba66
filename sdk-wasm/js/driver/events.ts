/** The page's own events: those that wait in memory, and the entries that outlive the page. */

import type { Entries } from '../browser/entries.ts';
import { fieldsOf, isObject, jsonText, parseJson } from '../json.ts';
import { isUuid } from '../uuid.ts';
import { type LaneEvent, writeEvent } from './batch.ts';

/** An event as it is kept. */
export interface KeptEvent extends LaneEvent {
  /** Counts up from 0, low. */
  priority: number;
  /** Whether a receipt has named it; it is then kept for counting only. */
  isSettled: boolean;
}

/** What is known of a lane whose page may be gone: how many numbers it has given out. */
export type KeptLane = [member: string, lane: string, count: number];

/** Events by lane and number; a settled one is in the store only. */
export interface Events {
  /** Keeps an event in memory and in the store, and its number as the count of its lane. */
  keep(event: KeptEvent): void;
  /** Takes an event that is stored already. */
  take(event: KeptEvent): void;
  /** The event under a number, if it waits to be delivered. */
  get(lane: string, seq: number): KeptEvent | undefined;
  /** Marks an event as delivered. */
  settle(lane: string, seq: number): void;
  /** Forgets an event. */
  forget(lane: string, seq: number): void;
}

/** No events in memory. */
export function openEvents(entries: Entries): Events {
  const waiting = new Map<string, KeptEvent>();
  const store = (event: KeptEvent) => {
    const { member, lane, seq, priority, isSettled } = event;
    entries.put(keyOf(lane, seq), () => {
      return `[${Number(isSettled)},${priority},${jsonText(member)},${writeEvent(event, member, lane)}]`;
    });
  };
  const take = (event: KeptEvent) => {
    if (!event.isSettled) waiting.set(keyOf(event.lane, event.seq), event);
  };
  const get = (lane: string, seq: number) => waiting.get(keyOf(lane, seq));
  return {
    keep(event) {
      take(event);
      store(event);
      entries.put(`lane/${event.lane}`, () => `${event.seq} ${event.member}`);
    },
    take,
    get,
    settle(lane, seq) {
      const event = get(lane, seq);
      if (event) store({ ...event, isSettled: true });
      waiting.delete(keyOf(lane, seq));
    },
    forget(lane, seq) {
      waiting.delete(keyOf(lane, seq));
      entries.delete(keyOf(lane, seq));
    },
  };
}

/** The lane in the keys `event/<lane>/<number>` and `lane/<lane>`; none in others. */
export function laneOf(key: string): string | undefined {
  return /^(?:event|lane)\/([^/]*)/.exec(key)?.[1];
}

/** Reads the entry of an event; nothing where it is none. */
export function readEvent(key: string, text: string): KeptEvent | undefined {
  const [, lane, number] = key.split('/');
  const seq = Number(number);
  const list = parseJson(text);
  if (!isUuid(lane) || !isCount(seq) || !Array.isArray(list)) return undefined;
  const [settled, priority, member, event] = list;
  const { event_id, event_type, timestamp, user_id, session_id, metadata } = fieldsOf(event);
  const ms = Date.parse(String(timestamp));
  const isWhole =
    [event_type, member, user_id ?? ''].every((field) => typeof field === 'string') &&
    [event_id, session_id].every(isUuid) &&
    [0, 1, 2].includes(priority) &&
    isObject(metadata ?? {}) &&
    !Number.isNaN(ms);
  if (!isWhole) return undefined;
  return {
    id: event_id as string,
    type: event_type as string,
    ms,
    member,
    lane,
    seq,
    user: user_id as string | undefined,
    session: session_id as string,
    metadata: metadata === undefined ? metadata : jsonText(metadata),
    priority,
    isSettled: settled === 1,
  };
}

/** Reads the entry of a lane's count; nothing where it is none. */
export function readLane(key: string, text: string): KeptLane | undefined {
  const [, count, member] = /^(\d+) (.+)$/s.exec(text) ?? [];
  const lane = laneOf(key);
  return isUuid(lane) && member && isCount(Number(count)) ? [member, lane, Number(count)] : undefined;
}

function isCount(number: number): boolean {
  return number > 0 && Number.isSafeInteger(number);
}

function keyOf(lane: string, seq: number): string {
  return `event/${lane}/${seq}`;
}
