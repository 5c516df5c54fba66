/** What goes to the collector: an event and a batch in the JSON form of the wire protocol, version 1. */

import type { Request } from '../core/effects.ts';
import { byteLength } from '../core/writer.ts';
import { jsonText } from '../json.ts';

/** Bytes of an event at most, without what its texts hold: names, quotes, ids, the time, a comma. */
const REST_BYTES = 280;
/** Texts that come again and again: types, members, users. */
const MAX_KNOWN_TEXTS = 1_000;
const known = new Map<string, number>();

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

/** Writes an event as an object; what a batch of this sender says for all its events is left out. */
export function writeEvent(event: LaneEvent, sender?: string, senderLane?: string): string {
  const { id, type, ms, member, lane, seq, user, session, metadata } = event;
  const text = jsonText({
    event_id: id,
    event_type: type,
    timestamp: timestampOf(ms),
    anonymous_id: unlessSame(member, sender),
    lane: unlessSame(lane, senderLane),
    seq,
    user_id: user,
    session_id: session,
  });
  return metadata === undefined ? text : extended(text, `"metadata":${metadata}`);
}

/** The bytes that an event takes in a batch at most, a comma included, but for its metadata. */
export function eventBytes({ type, member, user = '' }: Pick<LaneEvent, 'type' | 'member' | 'user'>): number {
  return REST_BYTES + textBytes(type) + textBytes(member) + textBytes(user);
}

/**
 * Writes a batch of `events`. `context` is a JSON object as text, `filtered` are the totals of what the lane has not let
 * through. A batch that leaves at an instant not known yet has
 * no time by which the collector could correct the page's clock.
 */
export function writeBatch(
  request: Request,
  events: LaneEvent[],
  context: string,
  sentAtMs: number | undefined,
  filtered: Record<string, number> = {},
): string {
  const [, sender, lane, withContext, , declarations, ...dropped] = request;
  const declared = (ended: boolean, write: (from: number, to: number) => object) => {
    const ours = declarations.filter(([hasEnded]) => hasEnded > 0 === ended);
    const rows = ours.map(([, member, lane, from, to]) => {
      return { lane, anonymous_id: unlessSame(member, sender), ...write(from, to) };
    });
    return rows.length > 0 ? rows : undefined;
  };
  const head = jsonText({
    v: 1,
    sent_at: sentAtMs === undefined ? sentAtMs : timestampOf(sentAtMs),
    anonymous_id: sender,
    lane,
    void: declared(false, (from, to) => ({ from, to })),
    closed: declared(true, (_, count) => ({ count })),
  });
  // The skew stands first, so that nothing a site puts there can hide it.
  const skew = '"clock_skew_ms":null';
  const fields = withContext && context !== '{}' ? `{${skew},${context.slice(1)}` : `{${skew}}`;
  const rows = events.map((event) => writeEvent(event, sender, lane)).join();
  const [queueFull, expired, rejected] = dropped.map((total) => total || undefined);
  const totals = jsonText({ queue_full: queueFull, expired, rejected, ...filtered });
  const tail = totals === '{}' ? '' : `,"dropped":${totals}`;
  return extended(head, `"context":${fields},"events":[${rows}]${tail}`);
}

/** An instant as RFC 3339 with milliseconds. */
export function timestampOf(ms: number): string {
  return new Date(ms).toISOString();
}

function extended(object: string, fields: string): string {
  return `${object.slice(0, -1)},${fields}}`;
}

function unlessSame(value: string, other: string | undefined): string | undefined {
  return value === other ? undefined : value;
}

/** Bytes of a text in JSON. */
function textBytes(text: string): number {
  let bytes = known.get(text);
  if (bytes === undefined) {
    if (known.size > MAX_KNOWN_TEXTS) known.clear();
    bytes = byteLength(jsonText(text));
    known.set(text, bytes);
  }
  return bytes;
}
