/** The locks that show which lanes are alive: the page's own and those it has adopted from pages that are gone. */

import { hasLocks, tryLock } from '../browser/locks.ts';
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
  /** Releases every lane. */
  release(): void;
  /** Finds out, in a later task, which of these lanes are over, and holds those. */
  adopt(lanes: string[]): Promise<Set<string>>;
}

/** No lanes held; `space` is the prefix of the site's names. */
export function openLanes(space: string): Lanes {
  const held: (() => void)[] = [];
  const ask = (lane: string) => tryLock(`${space}lane/${lane}`);
  return {
    async hold(lane) {
      const release = await ask(lane);
      if (release) held.push(release);
    },
    release() {
      for (const release of held.splice(0)) release();
    },
    async adopt(lanes) {
      const asked = hasLocks() ? lanes : [];
      const adopted = new Set(hasLocks() ? [] : lanes.filter(isOverAge));
      let isOver = false;
      const answers = asked.map(async (lane) => {
        const release = await ask(lane);
        if (isOver) return release?.();
        if (!release) return;
        held.push(release);
        adopted.add(lane);
      });
      const patience = new Promise((done) => setTimeout(done, asked.length && PATIENCE_MS));
      await (asked.length ? Promise.race([patience, Promise.all(answers)]) : patience);
      isOver = true;
      return adopted;
    },
  };
}

/** Without locks a lane counts as over when it is older than a lane can be; a name that is no id always does. */
function isOverAge(lane: string): boolean {
  return !(wallMs() - uuidMs(lane) <= MAX_LANE_MS);
}
