/** What other page loads have stored: taken back to be counted and, where their page is gone, to be delivered. */

import type { Change } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import { RESTORE, WAKE } from '../core/operations.ts';
import type { Host } from '../host.ts';
import { adoptLanes } from './adopting.ts';
import { type Adopted, readLanes, sortOut } from './adoption.ts';
import { count, give } from './counting.ts';
import type { Driving } from './driving.ts';
import { take, type Waiting } from './events.ts';
import { type Lanes, laneOf, lanesIn } from './lanes.ts';

/** What is needed of this page. */
export interface TakingOptions {
  driving: Driving;
  host: Host;
  entries: Entries;
  /** Events in memory. */
  waiting: Waiting;
  lanes: Lanes;
  /** Reports and forgets an entry that cannot be read. */
  unreadable(key: Adopted['unreadable'][number]): void;
}

/** What other page loads leave to this one. */
export interface Taking {
  /** Takes over which lanes are over among those that entries speak of, and reads what they and the others hold. */
  adopt(stored: Change[]): Promise<Adopted>;
  /** Takes in what a lane holds that this page has taken over. */
  takeIn(lane: string): Promise<void>;
  /** Gives the core what earlier page loads have stored: events of lanes that this page holds to deliver, all to count. */
  takeBack(found: Adopted): void;
  /** Counts events among these entries that are other pages', unless they are counted already. */
  count(found: Change[]): void;
  /** Makes the calls of lanes that this page has left before its core was whole, unless another page has. */
  takeUp(lanes: string[]): Promise<void>;
  /** Makes the calls that pages could not make that are gone. */
  makeCalls(found: Adopted): void;
}

/** Knows nothing of other page loads yet. */
export function openTaking({ driving, host, entries, waiting, lanes, unreadable }: TakingOptions): Taking {
  const { core } = driving;
  /** Reads again where the visitor has changed meanwhile: of one who has been forgotten nothing is there any more. */
  const ofOne = async (read: () => Promise<Adopted>): Promise<Adopted> => {
    const member = driving.member();
    const found = await read();
    return member === driving.member() ? found : ofOne(read);
  };
  const taking: Taking = {
    async adopt(stored) {
      const known = lanesIn(stored).filter((lane) => !lanes.owns(lane));
      const over = await adoptLanes(lanes, known);
      // What is not over yet goes on changing, and is only counted here; what this page has called itself it still has.
      const isOther = (lane: string) => !over.has(lane) && !lanes.owns(lane);
      const open = stored.filter(([key]) => isOther(laneOf(key) ?? ''));
      return sortOut([...open, ...(await readLanes(entries, over))]);
    },
    async takeIn(lane) {
      const found = await ofOne(async () => sortOut(await readLanes(entries, [lane])));
      driving.input(() => taking.takeBack(found));
      taking.makeCalls(found);
    },
    takeBack(found) {
      const own = found.lanes.filter(([, lane]) => lanes.owns(lane));
      core(RESTORE, undefined, undefined, undefined, own);
      found.unreadable.forEach(unreadable);
      for (const event of found.events) {
        if (!lanes.owns(event.lane)) {
          count(driving, [event]);
          continue;
        }
        take(waiting, event);
        give(driving, event, event.isSettled);
      }
      core(WAKE);
    },
    count(found) {
      // What this page has called itself it still has.
      const others = found.filter(([key]) => !lanes.owns(laneOf(key) ?? ''));
      driving.input(() => count(driving, sortOut(others).events));
    },
    makeCalls({ calls }) {
      const own = calls.filter(([[lane]]) => lanes.owns(lane as string));
      // The same transaction stores what becomes of them.
      for (const [key] of own) entries.delete(key);
      host.started(own.map(([, call]) => call));
    },
    async takeUp(left) {
      taking.makeCalls(await ofOne(async () => taking.adopt(await readLanes(entries, left))));
    },
  };
  return taking;
}
