/** The locks that show which lanes are alive: the page's own and those it has adopted from pages that are gone. */

import { hasLocks, tryLock } from '../browser/locks.ts';
import { wallMs } from '../clock.ts';
import { uuidMs } from '../uuid.ts';

/** Time given to the browser to say which lanes are held; a lane it has not spoken of by then waits for the next page. */
const PATIENCE_MS = 250;
/** Longest time that a lane lasts, in milliseconds. */
export const MAX_LANE_MS = 24 * 3_600_000;

/** Lanes held by this page. */
export class Lanes {
  readonly #prefix: string;
  #held: (() => void)[] = [];

  constructor(space: string) {
    this.#prefix = `${space}lane/`;
  }

  /** Holds a lane of this page. */
  hold(lane: string): void {
    this.#ask(lane).then((release) => release && this.#held.push(release));
  }

  /** Releases every lane. */
  release(): void {
    for (const release of this.#held.splice(0)) release();
  }

  /** Finds out, in a later task, which of these lanes are over, and holds those. */
  async adopt(lanes: string[]): Promise<Set<string>> {
    const canAsk = hasLocks() && lanes.length > 0;
    const adopted = new Set(canAsk ? [] : lanes.filter(isOverAge));
    const patience = new Promise((done) => setTimeout(done, canAsk ? PATIENCE_MS : 0));
    let isOver = false;
    const asked = lanes.map(async (lane) => {
      const release = await this.#ask(lane);
      if (isOver) release?.();
      else if (release) {
        this.#held.push(release);
        adopted.add(lane);
      }
    });
    await (canAsk ? Promise.race([Promise.all(asked), patience]) : patience);
    isOver = true;
    return adopted;
  }

  #ask(lane: string): Promise<(() => void) | undefined> {
    return tryLock(this.#prefix + lane);
  }
}

/** Without locks a lane counts as over when it is older than a lane can be; a name that is no id always does. */
function isOverAge(lane: string): boolean {
  return !(wallMs() - uuidMs(lane) <= MAX_LANE_MS);
}
