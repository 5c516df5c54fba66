/** What open pages say, and what becomes of those that go: followed, and taken up. */

import type { Change } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import { NEWS, NEWS_STATUS, RESTORE, WAKE } from '../core/operations.ts';
import type { Host } from '../host.ts';
import { awaitLane } from './adopting.ts';
import { count } from './counting.ts';
import type { Driving } from './driving.ts';
import type { KeptEvent } from './events.ts';
import { type Lanes, lanesIn } from './lanes.ts';
import type { Leading } from './leading.ts';
import type { Past } from './past.ts';
import type { Push } from './push.ts';
import type { Message, Tabs } from './tabs.ts';
import type { Taking } from './taking.ts';

/** What is said of one member, who is named first. */
const OF_MEMBER: Message[0][] = ['latches', 'user', 'profile'];
/** As many messages about others than the visitor are kept. */
const MAX_AHEAD = 50;

/** What is needed of this page. */
export interface OthersOptions {
  driving: Driving;
  host: Host;
  entries: Entries;
  lanes: Lanes;
  tabs: Tabs;
  leading: Leading;
  push: Push;
  /** Gives what takes lanes back. */
  past: Past;
  /** Hears of bundle revisions. */
  heardOf(revision: number): void;
  /** Tells the other pages which lane is this page's. */
  announce(): void;
  /** Notes who the visitor is, by who it is taken for. */
  named(agree: (user: string | undefined) => string): void;
}

/** Other page loads, seen from this one. */
export interface Others {
  /** Takes in what another page says. */
  hear(message: Message): void;
  /** Counts what other pages have stored, whatever of it this one does not have yet. */
  count(found: Change[]): void;
  /** Takes in what has been said already of the visitor whom this page has followed now. */
  followed(): void;
  /**
   * Takes up what pages leave behind that are gone, and, unless this one is hidden, holds the stream for all, until the signal
   * ends that.
   */
  lead(until: AbortSignal, isHidden: boolean): Promise<void>;
}

/** Has heard nothing of other pages yet. */
export function openOthers(options: OthersOptions): Others {
  const { driving, entries, lanes, tabs, leading, push, heardOf, announce, named } = options;
  const { core, input, member } = driving;
  /** Says when leading, or standing in, is over: what this page has done of it last. */
  let led: AbortSignal | undefined;
  /** Lanes that are waited for. */
  const watched = new Set<string>();
  /** What has been said last of others than the visitor: a page may follow its neighbour to one of them after it is told. */
  let ahead: Message[] = [];

  /** Has something done by what takes lanes back, if that loads. */
  const withTaking = async (act: (taking: Taking) => unknown) => {
    try {
      await act(await options.past.open());
    } catch (cause) {
      options.host.tell('part_unavailable', 'restore.js', String(cause));
    }
  };
  const watch = async (other: string, until: AbortSignal) => {
    if (lanes.owns(other) || watched.has(other)) return;
    watched.add(other);
    const isGone = await awaitLane(lanes, other, until);
    watched.delete(other);
    if (isGone) withTaking((taking) => taking.takeIn(other));
  };
  const hear = (message: Message) => {
    const [kind, first, second] = message as unknown as [Message[0], never, never];
    const members =
      kind === 'events'
        ? (first as KeptEvent[]).map((event) => event.member)
        : OF_MEMBER.includes(kind)
          ? [first]
          : [];
    if (members.some((one) => one !== member())) {
      ahead = [...ahead.slice(1 - MAX_AHEAD), message];
      if (kind !== 'events') return;
    }
    const acts: Record<Message[0], () => void> = {
      lane: () => led && watch(first, led),
      leads() {
        announce();
        leading.giveWay();
      },
      events: () => input(() => count(driving, first)),
      latches() {
        input(() => {
          core(RESTORE, undefined, second, undefined, []);
          core(WAKE);
        });
      },
      user() {
        let user: string = second;
        // Of two who have logged in at once, in pages that had not heard of each other, all take the same one.
        named((known = '') => {
          if (known > user) user = known;
          return user;
        });
        input(() => core(RESTORE, undefined, undefined, user, []));
        // What is stored may be of another one, who has come at the same time.
        entries.put('user', () => [first, user]);
      },
      news() {
        const [news, status, retryAfterMs] = first as [0 | 1 | 2 | 3, number, number];
        input(() => (news === 1 ? core(NEWS_STATUS, status, retryAfterMs) : core(NEWS, news)));
      },
      profile: () => push.takeProfile(second),
      hello: () => push.takeHello(first),
      bundle: () => heardOf(first),
    };
    acts[kind]?.();
  };
  return {
    hear,
    count: (found) => withTaking((taking) => taking.count(found)),
    followed() {
      for (const message of ahead.splice(0)) hear(message);
    },
    async lead(until, isHidden) {
      led = until;
      if (!isHidden) push.lead(until);
      // A lane may have stored nothing yet.
      tabs.say('leads');
      const stored = await entries.read(IDBKeyRange.lowerBound(''));
      for (const other of lanesIn(stored)) watch(other, until);
    },
  };
}
