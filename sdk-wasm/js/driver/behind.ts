/** What a client leaves to its background until that is there: loaded behind the first decision, and done in order. */

import type { Background } from './background.ts';

/** Acts that wait at most; beyond, the oldest are given up: reports, and what other tabs deliver themselves. */
const MAX_WAITING = 1_000;

/** Where the background is, or will be. */
export interface Behind {
  /** What is there now. */
  now(): Background | undefined;
  /** Has something done by it, now or when it is there. */
  do(act: (background: Background) => void): void;
  /** Loads it, unless that is being done already. */
  load(): void;
}

/**
 * Nothing is there yet; `load` gives it, or nothing where it is not wanted any more. `begun` is called before all that
 * waits.
 */
export function openBehind(
  load: () => Promise<Background | undefined>,
  begun: (background: Background) => void,
): Behind {
  let background: Background | undefined;
  let waiting: ((background: Background) => void)[] = [];
  let isLoading = false;
  return {
    now: () => background,
    do(act) {
      if (background) return act(background);
      waiting.push(act);
      waiting = waiting.slice(-MAX_WAITING);
    },
    async load() {
      if (isLoading) return;
      isLoading = true;
      background = await load();
      if (background) for (const act of [begun, ...waiting.splice(0)]) act(background);
    },
  };
}
