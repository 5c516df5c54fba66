/** The inside of an instance, as a developer panel shows it. */

import type { Decision } from './decision.ts';

/** The inside of an instance at one moment. */
export interface Inspection {
  /** The visitor on this browser. */
  member: string;
  /** The user that the visitor is bound to. */
  user_id: string | null;
  /** This page load's own event numbering. */
  lane: string;
  /** How delivery stands. */
  queue: Queue;
  /** Every signal: its value, or its values by key. */
  signals: Record<string, unknown>;
  /** What fills each slot. */
  decisions: Decision[];
  /** Revision of the bundle in effect; 0 before the first. */
  bundle_revision: number;
  /** State of the stream from the collector. */
  stream: 'open' | 'connecting' | 'closed';
}

/** How delivery stands. */
export interface Queue {
  /** Events waiting or in flight. */
  events: number;
  /** Their bytes. */
  bytes: number;
  /** Events in flight. */
  in_flight: number;
  /** Failures in a row. */
  failures: number;
  /** Whether sending pauses after too many failures. */
  breaker_open: boolean;
}
