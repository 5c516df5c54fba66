/**
 * What is said of the visitor, and done, while a page hears nothing: in the browser's back/forward cache, and from when it has
 * looked at what is stored until its channel is open.
 */

import type { Entries } from '../browser/entries.ts';
import { PROFILE, RESTORE, WAKE } from '../core/operations.ts';
import type { Host } from '../host.ts';
import type { Driving } from './driving.ts';
import { type Lanes, lanesIn } from './lanes.ts';
import type { Others } from './others.ts';
import { MEMBER, stateIn } from './state.ts';

/** What is needed of the page. */
export interface SayingOptions {
  host: Host;
  entries: Entries;
  /** The prefix of the site's names. */
  space: string;
  others: Pick<Others, 'count' | 'hear'>;
  lanes: Pick<Lanes, 'owns'>;
}

/** What a page hears when it comes back. */
export interface Saying {
  /** Takes in what has been said since it went. */
  restored(): void;
}

/** Has heard nothing. */
export function openSaying(driving: Driving, options: SayingOptions): Saying {
  const { host, entries, space, others, lanes } = options;
  const { storage } = driving;
  /** Who the visitor is, what holds for once and all, and what has been done, where other pages know of it. */
  const read = async (member: string) => {
    const found = await entries.read(IDBKeyRange.lowerBound(''));
    const { user, latches, base } = stateIn(found, member);
    if (driving.member() !== member) return;
    if (user !== undefined) others.hear(['user', member, user]);
    driving.input(() => {
      driving.core(RESTORE, undefined, latches, undefined, []);
      // As one that comes now: where it is older than this page's it is left, else what it covers is counted there alone.
      if (base) driving.core(PROFILE, base);
      driving.core(WAKE);
    });
    // Most pages have no others, and what counts those' events need not come.
    if (lanesIn(found).some((lane) => !lanes.owns(lane))) others.count(found);
  };
  /** Goes on as who is stored, with what is stored of them. */
  const look = () => {
    const member = storage.getItem(space + MEMBER);
    if (member === null || driving.isEnded()) return;
    if (member !== driving.member()) host.became(member);
    read(member);
  };
  driving.taken()?.then(look);
  return { restored: look };
}
