/** Which of the open pages of a site leads: it holds the stream for all, and takes up what pages leave behind. */

import { awaitLock } from '../browser/locks.ts';
import { timer } from '../browser/timer.ts';

/** Time after which a hidden page leaves it to another one to lead. */
const HIDDEN_MS = 5_000;

/** This page's part in leading. */
export interface Leading {
  /** Wants to lead, unless the page is hidden: calls back where it does, at once where the browser gives no locks. */
  stand(): void;
  /** Calls back if this page leads, with what says that this is over. */
  whileLeading(act: (until: AbortSignal) => void): void;
  /** The page is hidden: if it stays so, another one may lead. */
  hide(): void;
  /** Leads no more, and does not want to, until it stands again. */
  rest(): void;
}

/** Does not lead. `led` is called whenever the page begins to, with what says that this is over. */
export function openLeading(space: string, led: (until: AbortSignal) => void): Leading {
  /** Ends the wish to lead, and leading. */
  let standing: AbortController | undefined;
  let leading: AbortSignal | undefined;
  const resting = timer();

  const rest = () => {
    standing?.abort();
    standing = undefined;
  };
  return {
    async stand() {
      resting.clear();
      if (standing || document.hidden) return;
      standing = new AbortController();
      const { signal } = standing;
      const release = await awaitLock(`${space}lead`, signal);
      if (signal.aborted) return release?.();
      leading = signal;
      signal.addEventListener('abort', () => {
        leading = undefined;
        release?.();
      });
      led(signal);
    },
    whileLeading(act) {
      if (leading) act(leading);
    },
    hide: () => resting.set(HIDDEN_MS, () => document.hidden && rest()),
    rest,
  };
}
