/** Events of other page loads on their way to the core. */

import { STORED_EVENT, WAKE } from '../core/operations.ts';
import type { Driving } from './driving.ts';
import { type KeptEvent, sizesOf } from './events.ts';

/** Gives the core a stored event: one that is settled is counted, any other is delivered as well. */
export function give({ core }: Driving, event: KeptEvent, isSettled: boolean): void {
  const { priority, id, type, ms, seq } = event;
  const head = [priority, isSettled, event.member, event.lane, seq] as const;
  core(STORED_EVENT, ...head, id, type, ms, event.session, ...sizesOf(event));
}

/** Counts events that another page delivers. */
export function count(driving: Driving, events: KeptEvent[]): void {
  // Whoever delivers them, they are counted where they are of the visitor.
  for (const event of events) if (event.member === driving.member()) give(driving, event, true);
  driving.core(WAKE);
}
