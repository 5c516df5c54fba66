/**
 * Which of the open pages of a site leads: it holds the stream for all, and takes up what pages leave behind. Where none is
 * visible, a hidden one stands in: it takes up alone.
 */

import { awaitLock } from '../browser/locks.ts';
import { timer } from '../browser/timer.ts';

/** Time after which a hidden page leaves it to another one to lead. */
const HIDDEN_MS = 5_000;
/** Time for which a hidden page that may stand in does not: between two pages of a visible tab there is none that leads. */
const BETWEEN_MS = 5_000;

/** This page's part in leading. */
export interface Leading {
  /**
   * Wants to lead, or, while the page is hidden, to stand in where none leads: calls back where it does, in order to lead at
   * once where the browser gives no locks.
   */
  stand(): void;
  /** The page is hidden: if it stays so, another one may lead. */
  hide(): void;
  /** Another page has begun to lead, or to stand in: this one stands in no more, and wants to again behind it. */
  giveWay(): void;
  /** Leads no more, and does not want to, until it stands again. */
  rest(): void;
}

/** Has begun to lead, or, where it is hidden, to stand in, until the signal ends that. */
export type Led = (until: AbortSignal, isHidden: boolean) => void;

/** Does not lead. `led` is called whenever the page begins to, or to stand in. */
export function openLeading(space: string, led: Led): Leading {
  /** Ends the wish to lead or to stand in, and whatever has come of it. */
  let standing = new AbortController();
  /** Whether that is the wish to stand in; nothing where there is none. */
  let asHidden: boolean | undefined;
  const resting = timer();

  /** Holds a lock until the signal ends that; says whether the browser has given it. */
  const hold = async (name: string, signal: AbortSignal) => {
    const release = await awaitLock(space + name, signal);
    if (signal.aborted) release?.();
    else if (release) signal.addEventListener('abort', release);
    return release;
  };
  const rest = () => {
    resting.clear();
    standing.abort();
    asHidden = undefined;
  };
  const stand = async () => {
    resting.clear();
    const isHidden = document.hidden;
    if (asHidden === isHidden) return;
    rest();
    asHidden = isHidden;
    standing = new AbortController();
    const { signal } = standing;
    const isHeld = await hold(isHidden ? 'stand-in' : 'lead', signal);
    if (isHidden) await new Promise((done) => setTimeout(done, BETWEEN_MS));
    // Without locks nothing says which pages are gone.
    if (signal.aborted || (isHidden && !isHeld)) return;
    // While a page leads none stands in; it does not wait for that, since the browser may have stopped the one that does.
    if (!isHidden) hold('stand-in', signal);
    led(signal, isHidden);
  };
  return {
    stand,
    hide: () => resting.set(HIDDEN_MS, () => asHidden === false && stand()),
    giveWay() {
      if (!asHidden) return;
      rest();
      stand();
    },
    rest,
  };
}
