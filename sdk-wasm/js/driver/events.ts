/** The page's own events: those that wait in memory, and the entries that outlive the page. */

import type { Entries } from '../browser/entries.ts';
import { isUuid } from '../uuid.ts';
import { type LaneEvent, writeEvent } from './batch.ts';
import { fieldsOf, isObject, jsonText, parseJson } from './json.ts';

/** An event as it is kept. */
export interface KeptEvent extends LaneEvent {
  /** Counts up from 0, low. */
  priority: number;
  /** Whether a receipt has named it; it is then kept for counting only. */
  isSettled: boolean;
}

/** What is known of a lane whose page may be gone. */
export interface KeptLane {
  member: string;
  lane: string;
  /** Numbers given out. */
  count: number;
}

/** Events by lane and number; a settled one is in the store only. */
export class Events {
  readonly #entries: Entries;
  readonly #waiting = new Map<string, KeptEvent>();

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /** Keeps an event in memory and in the store, and its number as the count of its lane. */
  keep(event: KeptEvent): void {
    this.take(event);
    this.#write(event);
    this.#entries.put(`lane/${event.lane}`, `${event.seq} ${event.member}`);
  }

  /** Takes an event that is stored already. */
  take(event: KeptEvent): void {
    if (!event.isSettled) this.#waiting.set(keyOf(event.lane, event.seq), event);
  }

  /** The event under a number, if it waits to be delivered. */
  get(lane: string, seq: number): KeptEvent | undefined {
    return this.#waiting.get(keyOf(lane, seq));
  }

  /** Marks an event as delivered. */
  settle(lane: string, seq: number): void {
    const event = this.get(lane, seq);
    if (event) this.#write({ ...event, isSettled: true });
    this.#waiting.delete(keyOf(lane, seq));
  }

  /** Forgets an event. */
  forget(lane: string, seq: number): void {
    this.#waiting.delete(keyOf(lane, seq));
    this.#entries.delete(keyOf(lane, seq));
  }

  #write(event: KeptEvent): void {
    const { lane, seq, priority, member, isSettled } = event;
    const text = `[${Number(isSettled)},${priority},${jsonText(member)},${writeEvent(event, event)}]`;
    this.#entries.put(keyOf(lane, seq), text);
  }
}

/** The lane in the keys `event/<lane>/<number>` and `lane/<lane>`. */
export function laneOf(key: string): string | undefined {
  return /^(?:event|lane)\/([^/]*)/.exec(key)?.[1];
}

/** Reads the entry of an event; nothing where it is none. */
export function readEvent(key: string, text: string): KeptEvent | undefined {
  const [, lane, number] = key.split('/');
  const seq = Number(number);
  const [settled, priority, member, event] = listIn(text);
  const {
    event_id: id,
    event_type: type,
    timestamp,
    user_id: user,
    session_id: session,
    metadata,
  } = fieldsOf(event);
  const ms = Date.parse(String(timestamp));
  const isEvent =
    isUuid(lane) && seq > 0 && Number.isSafeInteger(seq) && isUuid(id) && isUuid(session) && ms > 0;
  const isWhole =
    isEvent && typeof type === 'string' && typeof member === 'string' && /^[012]$/.test(String(priority));
  if (!isWhole || !(metadata === undefined || isObject(metadata))) return undefined;
  return {
    id,
    type,
    ms,
    member,
    lane,
    seq,
    user: user === undefined ? user : String(user),
    session,
    metadata: metadata && jsonText(metadata),
    priority: Number(priority),
    isSettled: settled === 1,
  };
}

/** Reads the entry of a lane's count; nothing where it is none. */
export function readLane(key: string, text: string): KeptLane | undefined {
  const [, number, member] = /^(\d+) ([^]+)$/.exec(text) ?? [];
  const lane = laneOf(key);
  const count = Number(number);
  return isUuid(lane) && member && Number.isSafeInteger(count) ? { member, lane, count } : undefined;
}

function keyOf(lane: string, seq: number): string {
  return `event/${lane}/${seq}`;
}

function listIn(text: string): unknown[] {
  const list = parseJson(text);
  return Array.isArray(list) ? list : [];
}
