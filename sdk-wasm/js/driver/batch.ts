/** What goes to the collector: an event and a batch in the JSON form of the wire protocol, version 1. */

import type { Request } from '../core/effects.ts';
import { jsonText } from './json.ts';

/** An event under its number in a lane. */
export interface LaneEvent {
  id: string;
  type: string;
  ms: number;
  member: string;
  lane: string;
  seq: number;
  user: string | undefined;
  session: string;
  /** A JSON object as text. */
  metadata: string | undefined;
}

/** Who sends a batch; what it says for the whole batch is left out of the rows. */
type Sender = Pick<LaneEvent, 'member' | 'lane'>;

/** Writes an event as an object. */
export function writeEvent(event: LaneEvent, sender?: Sender): string {
  const { id, type, ms, member, lane, seq, user, session, metadata } = event;
  const text = jsonText({
    event_id: id,
    event_type: type,
    timestamp: timestampOf(ms),
    anonymous_id: beside(member, sender?.member),
    lane: beside(lane, sender?.lane),
    seq,
    user_id: user,
    session_id: session,
  });
  return metadata === undefined ? text : `${text.slice(0, -1)},"metadata":${metadata}}`;
}

/** Writes a batch of `events`. `context` is a JSON object as text. */
export function writeBatch(request: Request, events: LaneEvent[], context: string, sentAtMs: number): string {
  const { member: sender, lane, withContext, dropped } = request;
  const head = jsonText({
    v: 1,
    sent_at: timestampOf(sentAtMs),
    anonymous_id: sender,
    lane,
    void: listed(request.void, ({ member, lane, from, to }) => {
      return { lane, anonymous_id: beside(member, sender), from, to };
    }),
    closed: listed(request.closed, ({ member, lane, count }) => {
      return { lane, anonymous_id: beside(member, sender), count };
    }),
  });
  // The skew stands first, so that nothing a site puts there can hide it.
  const fields = withContext && context !== '{}' ? `,${context.slice(1)}` : '}';
  const rows = events.map((event) => writeEvent(event, request)).join();
  const totals = Object.entries(dropped).filter(([, total]) => total > 0);
  const tail = totals.length > 0 ? `,"dropped":${jsonText(Object.fromEntries(totals))}` : '';
  return `${head.slice(0, -1)},"context":{"clock_skew_ms":null${fields},"events":[${rows}]${tail}}`;
}

/** An instant as RFC 3339 with milliseconds. */
export function timestampOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** A value where it differs from the batch's own. */
function beside(value: string, own: string | undefined): string | undefined {
  return value === own ? undefined : value;
}

function listed<Item>(items: Item[], write: (item: Item) => unknown): unknown[] | undefined {
  return items.length > 0 ? items.map(write) : undefined;
}
