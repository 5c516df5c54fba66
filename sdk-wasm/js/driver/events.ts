/** The page's own events: those that wait in memory, and the entries that outlive the page. */

import type { Entries } from '../browser/entries.ts';
import type { Metadata } from '../core/operations.ts';
import { byteLength } from '../core/writer.ts';
import { eventBytes, type LaneEvent } from './batch.ts';

/** An event as it is kept. */
export interface KeptEvent extends LaneEvent {
  /** Counts up from 0, low. */
  priority: number;
  /** Whether a receipt has named it; it is then kept for counting only. */
  isSettled: boolean;
}

/** What is known of a lane whose page may be gone: how many numbers it has given out. */
export type KeptLane = [member: string, lane: string, count: number];

/** Events in memory by lane and number, until they are settled or forgotten. */
export type Waiting = Map<string, Map<number, KeptEvent>>;

/** Events by lane and number; a settled one is in the store only. */
export interface Events {
  /** Keeps an event in memory and in the store, and its number as the count of its lane. */
  keep(event: KeptEvent): void;
  /** The event under a number, if it waits to be delivered. */
  get(lane: string, seq: number): KeptEvent | undefined;
  /** Marks an event as delivered. */
  settle(lane: string, seq: number): void;
  /** Forgets an event. */
  forget(lane: string, seq: number): void;
}

/** Takes an event that is stored already. */
export function take(waiting: Waiting, event: KeptEvent): void {
  if (event.isSettled) return;
  const { lane, seq } = event;
  const ofLane = waiting.get(lane);
  // Numbers are found faster than texts that are made for it.
  if (ofLane) ofLane.set(seq, event);
  else waiting.set(lane, new Map([[seq, event]]));
}

/** The events that wait in memory, beside what is stored. */
export function openEvents(waiting: Waiting, entries: Entries): Events {
  /** The count that waits to be stored. */
  let count: KeptLane | undefined;
  const store = (event: KeptEvent) => entries.put([event.lane, event.seq], () => event);
  const get = (lane: string, seq: number) => waiting.get(lane)?.get(seq);
  const drop = (lane: string, seq: number) => void waiting.get(lane)?.delete(seq);
  return {
    keep(event) {
      take(waiting, event);
      store(event);
      const { member, lane, seq } = event;
      if (count?.[1] === lane) {
        count[2] = seq;
        return;
      }
      const fresh: KeptLane = [member, lane, seq];
      count = fresh;
      entries.put(`lane/${lane}`, () => {
        if (count === fresh) count = undefined;
        return fresh;
      });
    },
    get,
    settle(lane, seq) {
      const event = get(lane, seq);
      if (event) store({ ...event, isSettled: true });
      drop(lane, seq);
    },
    forget(lane, seq) {
      drop(lane, seq);
      entries.delete([lane, seq]);
    },
  };
}

/** The bytes that an event takes in a batch at most, and its metadata as the core takes it. */
export function sizesOf(event: KeptEvent): [bytes: number, metadata: Metadata | undefined] {
  const { metadata: text } = event;
  if (text === undefined) return [eventBytes(event), text];
  const bytes = byteLength(text);
  return [eventBytes(event) + bytes, [bytes, JSON.parse(text)]];
}
