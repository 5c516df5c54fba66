/** What other page loads have stored and what open ones say: taken back, counted, followed. */

import type { Entries } from '../browser/entries.ts';
import { NEWS, NEWS_STATUS, RESTORE, STORED_EVENT, WAKE } from '../core/operations.ts';
import type { Host } from '../host.ts';
import { type Adopted, adopt, lanesIn } from './adoption.ts';
import type { Driving } from './driving.ts';
import { type Events, type KeptEvent, sizesOf } from './events.ts';
import type { Lanes } from './lanes.ts';
import type { Push } from './push.ts';
import type { Message, Tabs } from './tabs.ts';

/** What is needed of this page. */
export interface OthersOptions {
  driving: Driving;
  host: Host;
  entries: Entries;
  events: Events;
  lanes: Lanes;
  tabs: Tabs;
  push: Push;
  /** Hears of bundle revisions. */
  heardOf(revision: number): void;
  /** Reports and forgets an entry that cannot be read. */
  unreadable(key: Adopted['unreadable'][number]): void;
  /** Tells the other pages which lane is this page's. */
  announce(): void;
  /** Notes who the visitor is. */
  named(user: string): void;
}

/** Other page loads, seen from this one. */
export interface Others {
  /** Gives the core what earlier page loads have stored: events of lanes that this page holds to deliver, all to count. */
  takeBack(found: Adopted, base?: Uint8Array, latches?: Uint8Array): void;
  /** Makes the calls that pages could not make that are gone. */
  makeCalls(found: Adopted): void;
  /** Takes in what another page says. */
  hear(message: Message): void;
  /** Takes the name of the visitor that another page has given it, if it is of the one who is here now. */
  takeName(): void;
  /** Holds the stream for all pages, and takes up what those leave behind that are gone, until the signal ends that. */
  lead(until: AbortSignal): Promise<void>;
}

/** Knows nothing of other page loads yet. */
export function openOthers(options: OthersOptions): Others {
  const { driving, host, entries, events, lanes, tabs, push, heardOf, unreadable, announce, named } = options;
  const { core, input, member } = driving;
  /** Who the visitor is in a page that has said so before this one has followed it there. */
  let namedElsewhere: [member: string, user: string] | undefined;

  const give = (event: KeptEvent, isSettled: boolean) => {
    const { priority, id, type, ms, seq } = event;
    const head = [priority, isSettled, event.member, event.lane, seq] as const;
    core(STORED_EVENT, ...head, id, type, ms, event.session, ...sizesOf(event));
  };
  const count = (all: KeptEvent[]) => {
    // Whoever delivers them, they are counted where they are of the visitor.
    for (const event of all) if (event.member === member()) give(event, true);
    core(WAKE);
  };
  const takeBack: Others['takeBack'] = (found, base, latches) => {
    const own = found.lanes.filter(([, lane]) => lanes.owns(lane));
    core(RESTORE, base, latches, undefined, own);
    found.unreadable.forEach(unreadable);
    for (const event of found.events) {
      if (!lanes.owns(event.lane)) {
        count([event]);
        continue;
      }
      events.take(event);
      give(event, event.isSettled);
    }
    core(WAKE);
  };
  const makeCalls = ({ calls }: Adopted) => {
    const own = calls.filter(([[lane]]) => lanes.owns(lane as string));
    // The same transaction stores what becomes of them.
    for (const [key] of own) entries.delete(key);
    host.started(own.map(([, call]) => call));
  };
  const takeName = () => {
    if (namedElsewhere?.[0] !== member()) return;
    named(namedElsewhere[1]);
    core(RESTORE, undefined, undefined, namedElsewhere[1], []);
  };
  const watch = (other: string, until: AbortSignal) => {
    if (lanes.owns(other)) return;
    lanes.watch(other, until, async () => {
      const found = await adopt(entries, [other]);
      input(() => takeBack(found));
      makeCalls(found);
    });
  };
  const hear = ([kind, ...said]: Message) => {
    const [first, second] = said as unknown as [never, never];
    const acts: Record<Message[0], () => void> = {
      lane: () => tabs.whileLeading((until) => watch(first, until)),
      leads: announce,
      events: () => input(() => count(first)),
      latches() {
        input(() => {
          core(RESTORE, undefined, first, undefined, []);
          core(WAKE);
        });
      },
      user() {
        namedElsewhere = [first, second];
        input(takeName);
      },
      consent: () => host.consented(first),
      forget: host.forgotten,
      news() {
        const [news, status, retryAfterMs] = first as [0 | 1 | 2 | 3, number, number];
        input(() => (news === 1 ? core(NEWS_STATUS, status, retryAfterMs) : core(NEWS, news)));
      },
      profile: () => push.takeProfile(first),
      hello: () => push.takeHello(first),
      bundle: () => heardOf(first),
    };
    acts[kind]?.();
  };
  return {
    takeBack,
    makeCalls,
    hear,
    takeName,
    async lead(until) {
      push.lead(until);
      // A lane may have stored nothing yet.
      tabs.say('leads');
      const stored = await entries.read(IDBKeyRange.lowerBound(''));
      for (const other of lanesIn(stored)) watch(other, until);
    },
  };
}
