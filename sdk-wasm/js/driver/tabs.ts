/** The open pages of a site, and what they tell each other. */

import type { Channel } from '../browser/channel.ts';
import type { KeptEvent } from './events.ts';

/** What one page tells the others. */
export type Message =
  /** A page has begun a lane: whoever leads is to notice when it is gone. */
  | ['lane', lane: string]
  /** A page has begun to lead, or to stand in for one that does, and asks the others for their lanes. */
  | ['leads']
  /** Events of the visitor, which the others count and the page that tells of them delivers. */
  | ['events', events: KeptEvent[]]
  /** What keeps event rules in effect for a visitor, as the core writes it. */
  | ['latches', member: string, bytes: Uint8Array]
  /** A visitor has become a user. */
  | ['user', member: string, user: string]
  /** What a request for events has come to: nothing, a status, a receipt, or nothing so often that it seems blocked. */
  | ['news', news: NewsMessage]
  /** Messages of the stream that one page holds for all. */
  | ['profile', member: string, bytes: Uint8Array]
  | ['hello', isGap: boolean]
  | ['bundle', revision: number];

/** The forms of the core's input `news`. */
export type NewsMessage = [kind: 0 | 2 | 3] | [kind: 1, status: number, retryAfterMs: number | undefined];

/** This page among the others. */
export type Tabs = Channel<Message>;
