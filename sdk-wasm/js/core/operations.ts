/** The operations of the byte interface, each with its number and the form of its input behind the two times. */

import type { JsonObject } from '../context.ts';

/** An operation and, as a type only, its fields. */
export type Operation<Fields extends unknown[]> = [operation: number, form: string, fields?: Fields];

/** Operations that change nothing but what is to be sent now. */
export const QUESTIONS = [15, 16, 17, 18, 22, 25];
/** Operations about the collector and the way to it, which no decision depends on. */
export const DELIVERY = [12, 14, 23];

/** A JSON object as the core takes it, behind the bytes of its text. */
export type Metadata = [bytes: number, value: JsonObject];

type Content = [session: string, bytes: number, metadata: Metadata | undefined];
type StoredBytes = Uint8Array | undefined;

export const START: Operation<[member: string, lane: string, session: string]> = [0, 'tuu'];

export const RESTORE: Operation<
  [
    base: StoredBytes,
    latches: StoredBytes,
    user: string | undefined,
    lanes: [member: string, lane: string, count: number][],
  ]
> = [1, '?y?y?t*(tun)'];

export const STORED_EVENT: Operation<
  [
    priority: number,
    isSettled: boolean,
    member: string,
    lane: string,
    seq: number,
    ...event: [id: string, type: string, ms: number, ...Content],
  ]
> = [2, 'bbtunutfun?(nv)'];

export const TRACK: Operation<
  [
    ...[id: string, type: string, ms: number, session: string],
    ...[priority: number, bytes: number, metadata: Metadata | undefined],
  ]
> = [3, 'utfubn?(nv)'];

export const IDENTIFY: Operation<[user: string, freshMember: string, freshLane: string]> = [4, 'ttu'];

export const RESET: Operation<[freshMember: string, freshLane: string, session: string]> = [5, 'tuu'];

export const FOLLOW: Operation<[member: string, freshLane: string, session: string]> = [6, 'tuu'];

export const LANE: Operation<[freshLane: string]> = [7, 'u'];

export const CONTEXT: Operation<Metadata> = [8, 'nv'];

export const BUNDLE: Operation<[bytes: Uint8Array]> = [9, 'r'];

export const PROFILE: Operation<[bytes: Uint8Array]> = [10, 'r'];

export const GAP: Operation<[]> = [11, ''];

/** The request got no answer: kind 0, or 3 where the browser knows that it is offline. */
export const UNANSWERED: Operation<[request: number, kind: 0 | 3]> = [12, 'xnb'];

/** The answer was no receipt; `offending` are the positions of the events that are too large. */
export const TURNED_DOWN: Operation<
  [request: number, status: number, retryAfterMs: number | undefined, offending: number[]]
> = [12, 'xn1n?f*n'];

/** The answer was a receipt, whose rows say 1 rejected or 2 retry. */
export const RECEIVED: Operation<
  [request: number, accepted: number, clockShiftMs: number, rows: [id: string, kind: number][]]
> = [12, 'xn2nf*(ub)'];

export const WAKE: Operation<[]> = [13, ''];

/** The browser is online, or somebody wants everything sent. */
export const ONLINE: Operation<[]> = [14, '0'];

/** The page is seen again. */
export const SEEN: Operation<[]> = [14, '1'];

export const FAREWELL: Operation<[leaves: boolean]> = [15, 'b'];

export const POLL: Operation<[]> = [16, ''];

export const SIGNAL: Operation<[name: string, key: string | undefined]> = [17, 't?t'];

export const INSPECT: Operation<[]> = [18, ''];

/** Whether each text asked about has a match, in the order of the questions. */
export const MATCHES: Operation<[answers: boolean[]]> = [19, '*b'];

/** The purposes that are granted, by bits. */
export const CONSENT: Operation<[granted: number]> = [20, 'b'];

/** A bundle that a statement or an answer names, taken whatever its revision. */
export const NAMED_BUNDLE: Operation<[bytes: Uint8Array]> = [21, 'r'];

/** Whether the member is in the share of a candidate, in hundredths of a percent. */
export const IN_SHARE: Operation<[seed: string, share: number]> = [22, 'tn'];

/**
 * What another page has heard of the collector: 0 nothing, 2 a receipt, 3 nothing for so long that it seems blocked; what this page
 * has heard that has asked something else than to take events: 4 an answer, 5 none.
 */
export const NEWS: Operation<[kind: 0 | 2 | 3 | 4 | 5]> = [23, 'xb'];

/** Another page has heard a status. */
export const NEWS_STATUS: Operation<[status: number, retryAfterMs: number | undefined]> = [23, 'x1n?f'];

/** Everything of the visitor is gone, unsaid; what follows is another member's. */
export const FORGET: Operation<[freshMember: string, freshLane: string, session: string]> = [24, 'tuu'];

/** What a page load of a session would decide that begins now. */
export const FORECAST: Operation<[session: string]> = [25, 'u'];

/** It is this page's turn to show what is capped. */
export const TURN: Operation<[]> = [26, ''];
