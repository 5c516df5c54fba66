/**
 * What is said of the visitor, and done, while a page hears nothing: in the browser's back/forward cache, and from when it has
 * looked at what is stored until its channel is open.
 */

import type { Entries } from '../browser/entries.ts';
import { PURPOSES, type Said } from '../consent.ts';
import { PROFILE, RESTORE, WAKE } from '../core/operations.ts';
import type { Host } from '../host.ts';
import type { Driving } from './driving.ts';
import { type Lanes, lanesIn } from './lanes.ts';
import type { Others } from './others.ts';
import { GRANTED, MEMBER, stateIn } from './state.ts';

/** The bit of the purpose that needs no events. */
const FUNCTIONAL = 1;

/** What is needed of the page. */
export interface SayingOptions {
  host: Host;
  entries: Entries;
  /** The prefix of the site's names. */
  space: string;
  /** The granted purposes, by bits. */
  granted(): number;
  /** Notes who the visitor is. */
  named(user: string): void;
  others: Pick<Others, 'count'>;
  lanes: Pick<Lanes, 'owns'>;
}

/** What one page says to those that come back, and hears when it comes back itself. */
export interface Saying {
  /** Something may have been said. */
  changed(): void;
  /** The page may lie in the cache from now on. */
  leave(): void;
  /** Takes in what has been said since. */
  restored(): void;
  /** Everything that is stored has been deleted. */
  forget(): void;
}

/** Has said and heard nothing. */
export function openSaying(driving: Driving, options: SayingOptions): Saying {
  const { host, entries, space, granted, named, others, lanes } = options;
  const { storage } = driving;
  /** What is stored as granted, by this page. */
  let stored = -1;
  /** Whether it was stored who the visitor is when the page went. */
  let wasHere = false;
  const consent = (bits: number) => {
    const said = PURPOSES.map((name, place) => [name, (bits >> place) & 1 ? 'granted' : 'denied']);
    host.consented(Object.fromEntries(said) as Said);
  };
  /** Who the visitor is, what holds for once and all, and what has been done, where other pages know of it. */
  const read = async (member: string) => {
    const found = await entries.read(IDBKeyRange.lowerBound(''));
    const { user, latches, base } = stateIn(found, member);
    if (driving.member() !== member) return;
    driving.input(() => {
      if (user !== undefined) named(user);
      driving.core(RESTORE, undefined, latches, user, []);
      // As one that comes now: where it is older than this page's it is left, else what it covers is counted there alone.
      if (base) driving.core(PROFILE, base);
      driving.core(WAKE);
    });
    // Most pages have no others, and what counts those' events need not come.
    if (lanesIn(found).some((lane) => !lanes.owns(lane))) others.count(found);
  };
  /** Goes on as who is stored, with what is stored of them. */
  const follow = (member: string | null) => {
    if (member === null || driving.isEnded()) return;
    if (member !== driving.member()) host.became(member);
    read(member);
  };
  driving.taken()?.then(() => follow(storage.getItem(space + MEMBER)));
  return {
    changed() {
      if (granted() === stored) return;
      stored = granted();
      storage.setItem(space + GRANTED, String(stored));
    },
    leave() {
      wasHere = storage.getItem(space + MEMBER) !== null;
    },
    restored() {
      if (!wasHere) return;
      const member = storage.getItem(space + MEMBER);
      // Only a no leaves nobody there.
      if (member === null) return consent(granted() & FUNCTIONAL);
      const bits = storage.getItem(space + GRANTED);
      if (bits !== null && Number(bits) !== granted()) consent(Number(bits));
      follow(member);
    },
    forget() {
      stored = -1;
    },
  };
}
