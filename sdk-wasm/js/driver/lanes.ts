/** The locks that show which lanes are alive: the page's own and those it has adopted from pages that are gone. */

import type { Change, Key } from '../browser/database.ts';
import { tryLock } from '../browser/locks.ts';

/** Longest time that a lane lasts, in milliseconds. */
export const MAX_LANE_MS = 24 * 3_600_000;

/** Lanes held by this page. */
export interface Lanes {
  /** The name of a lane's lock. */
  nameOf(lane: string): string;
  /** Holds a lane of this page. */
  hold(lane: string): void;
  /** Settles when the browser has spoken of the lane that was to be held last: others may wait for it from then on. */
  held(): Promise<void>;
  /** Takes a lane over, and what releases its lock where there is one. */
  take(lane: string, release?: () => void): void;
  /** Whether a lane is this page's own, or one that it has adopted. */
  owns(lane: string): boolean;
  /** Releases every lane; what they hold stays this page's to send. */
  release(): void;
  /** A lane is not this page's any more: whoever takes it over, which may be this page, makes its calls. */
  leave(lane: string): void;
}

/** No lanes held; `space` is the prefix of the site's names. */
export function openLanes(space: string): Lanes {
  const own = new Set<string>();
  let holding = Promise.resolve();
  let releases: (() => void)[] = [];
  const nameOf = (lane: string) => `${space}lane/${lane}`;
  const take = (lane: string, release?: () => void) => {
    own.add(lane);
    if (release) releases.push(release);
  };
  return {
    nameOf,
    hold(lane) {
      take(lane);
      holding = tryLock(nameOf(lane)).then((release) => take(lane, release));
    },
    held: () => holding,
    take,
    owns: (lane) => own.has(lane),
    leave: (lane) => void own.delete(lane),
    release() {
      for (const release of releases) release();
      releases = [];
    },
  };
}

/** The lane in the keys of events, `[lane, number]`, and of counts, `lane/<lane>`; none in others. */
export function laneOf(key: Key): string | undefined {
  return typeof key === 'string' ? /^lane\/(.*)/.exec(key)?.[1] : String(key[0]);
}

/** The lanes that entries speak of. */
export function lanesIn(stored: Change[]): string[] {
  return [...new Set(stored.flatMap(([key]) => laneOf(key) ?? []))];
}
