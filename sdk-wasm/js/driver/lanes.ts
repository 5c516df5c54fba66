/** The locks that show which lanes are alive: the page's own and those it has adopted from pages that are gone. */

import { awaitLock, hasLocks, tryLock } from '../browser/locks.ts';
import { wallMs } from '../clock.ts';
import { uuidMs } from '../uuid.ts';

/** Time given to the browser to say which lanes are held; a lane it has not spoken of by then waits for the next page. */
const PATIENCE_MS = 250;
/** Longest time that a lane lasts, in milliseconds. */
export const MAX_LANE_MS = 24 * 3_600_000;

/** Lanes held by this page. */
export interface Lanes {
  /** Holds a lane of this page. */
  hold(lane: string): void;
  /** Settles when the browser has spoken of the lane that was to be held last: others may wait for it from then on. */
  held(): Promise<void>;
  /** Whether a lane is this page's own, or one that it has adopted. */
  owns(lane: string): boolean;
  /** Releases every lane; what they hold stays this page's to send. */
  release(): void;
  /** Finds out, in a later task, which of these lanes are over, and holds those. */
  adopt(lanes: string[]): Promise<Set<string>>;
  /** Waits until the page of a lane is gone, then holds the lane and calls back; the signal ends the wait. */
  watch(lane: string, signal: AbortSignal, gone: () => void): void;
}

/** No lanes held; `space` is the prefix of the site's names. */
export function openLanes(space: string): Lanes {
  const own = new Set<string>();
  let holding = Promise.resolve();
  const releases: (() => void)[] = [];
  /** Lanes that are waited for. */
  const watched = new Set<string>();
  const nameOf = (lane: string) => `${space}lane/${lane}`;
  const take = (lane: string, release: () => void) => {
    own.add(lane);
    releases.push(release);
  };
  return {
    hold(lane) {
      own.add(lane);
      holding = tryLock(nameOf(lane)).then((release) => {
        if (release) take(lane, release);
      });
    },
    held: () => holding,
    owns: (lane) => own.has(lane),
    release() {
      for (const release of releases.splice(0)) release();
    },
    async adopt(lanes) {
      const asked = hasLocks() ? lanes : [];
      const adopted = new Set(hasLocks() ? [] : lanes.filter(isOverAge));
      for (const lane of adopted) own.add(lane);
      let isOver = false;
      const answers = asked.map(async (lane) => {
        const release = await tryLock(nameOf(lane));
        if (isOver) return release?.();
        if (!release) return;
        take(lane, release);
        adopted.add(lane);
      });
      const patience = new Promise((done) => setTimeout(done, asked.length && PATIENCE_MS));
      await (asked.length ? Promise.race([patience, Promise.all(answers)]) : patience);
      isOver = true;
      return adopted;
    },
    async watch(lane, signal, gone) {
      if (watched.has(lane)) return;
      watched.add(lane);
      const release = await awaitLock(nameOf(lane), signal);
      watched.delete(lane);
      if (!release) return;
      if (signal.aborted) return release();
      take(lane, release);
      gone();
    },
  };
}

/** Without locks a lane counts as over when it is older than a lane can be; a name that is no id always does. */
function isOverAge(lane: string): boolean {
  return !(wallMs() - uuidMs(lane) <= MAX_LANE_MS);
}
