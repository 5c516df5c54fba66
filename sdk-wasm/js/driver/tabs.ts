/** The open pages of a site: what they tell each other, and which of them leads. */

import { type Channel, openChannel } from '../browser/channel.ts';
import { awaitLock } from '../browser/locks.ts';
import type { Said } from '../consent.ts';
import type { KeptEvent } from './events.ts';

/** What one page tells the others. */
export type Message =
  /** A page has begun a lane: whoever leads is to notice when it is gone. */
  | ['lane', lane: string]
  /** A page has begun to lead, and asks the others for their lanes. */
  | ['leads']
  /** Events of the visitor, which the others count and the page that tells of them delivers. */
  | ['events', events: KeptEvent[]]
  /** What keeps event rules in effect, as the core writes it. */
  | ['latches', bytes: Uint8Array]
  /** The visitor has become a user. */
  | ['user', member: string, user: string]
  /** What the visitor has said of each purpose. */
  | ['consent', said: Said]
  /** The visitor is to be forgotten. */
  | ['forget']
  /** What a request for events has come to: nothing, a status, a receipt, or nothing so often that it seems blocked. */
  | ['news', news: NewsMessage]
  /** Messages of the stream that one page holds for all. */
  | ['profile', bytes: Uint8Array]
  | ['hello', isGap: boolean]
  | ['bundle', revision: number];

/** The forms of the core's input `news`. */
export type NewsMessage = [kind: 0 | 2 | 3] | [kind: 1, status: number, retryAfterMs: number | undefined];

/** This page among the others. */
export interface Tabs {
  /** Tells every other page. */
  say(...message: Message): void;
  /** Tells of an event, together with those that follow it in this task. */
  sayEvent(event: KeptEvent): void;
  /** Wants to lead: calls back where it does, at once where the browser gives no locks, and again after `rest`. */
  stand(): void;
  /** Calls back if this page leads, with what says that this is over. */
  whileLeading(act: (until: AbortSignal) => void): void;
  /** Leads no more, and does not want to. */
  rest(): void;
  /** Opens the channel, again after `close`. */
  open(): void;
  /** Neither leads nor hears. */
  close(): void;
}

/**
 * Makes a page one of those that share a name. `led` is called whenever the page begins to lead, with what says that
 * this is over.
 */
export function openTabs(
  name: string,
  heard: (message: Message) => void,
  led: (until: AbortSignal) => void,
): Tabs {
  let channel: Channel<Message> | undefined;
  /** Ends the wish to lead, and leading. */
  let standing: AbortController | undefined;
  let leading: AbortSignal | undefined;
  let events: KeptEvent[] = [];

  const say = (...message: Message) => channel?.say(message);
  const sayEvents = () => {
    if (events.length) say('events', events);
    events = [];
  };
  const rest = () => {
    standing?.abort();
    standing = undefined;
  };
  return {
    say,
    sayEvent(event) {
      if (events.push(event) === 1) queueMicrotask(sayEvents);
    },
    async stand() {
      if (standing) return;
      standing = new AbortController();
      const { signal } = standing;
      const release = await awaitLock(`${name}lead`, signal);
      if (signal.aborted) return release?.();
      leading = signal;
      signal.addEventListener('abort', () => {
        leading = undefined;
        release?.();
      });
      led(signal);
    },
    whileLeading(act) {
      if (leading) act(leading);
    },
    rest,
    open() {
      channel ??= openChannel(name, heard);
    },
    close() {
      rest();
      channel?.close();
      channel = undefined;
    },
  };
}
