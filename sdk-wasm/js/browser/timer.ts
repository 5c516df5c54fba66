/** One pending timeout that can be set again. */

/** Longest delay that browsers keep; a longer one would fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** At most one pending callback. */
export interface Timer {
  /** Whether a callback is pending. */
  isSet(): boolean;
  /** Calls back after a delay, in place of what was pending. */
  set(delayMs: number, callback: () => void): void;
  /** Cancels what is pending. */
  clear(): void;
}

/** A timer that is not set. */
export function timer(): Timer {
  let pending: ReturnType<typeof setTimeout> | undefined;
  const clear = () => {
    clearTimeout(pending);
    pending = undefined;
  };
  return {
    isSet: () => pending !== undefined,
    set(delayMs, callback) {
      clear();
      const fire = () => {
        pending = undefined;
        callback();
      };
      // Browsers cut fractions off, which would be too early.
      pending = setTimeout(fire, Math.min(Math.ceil(delayMs), MAX_DELAY_MS));
    },
    clear,
  };
}
