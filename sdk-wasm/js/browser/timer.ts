/** One pending timeout that can be set again. */

/** Longest delay that browsers keep; a longer one would fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** At most one pending callback. */
export class Timer {
  #pending: ReturnType<typeof setTimeout> | undefined;

  /** Whether a callback is pending. */
  get isSet(): boolean {
    return this.#pending !== undefined;
  }

  /** Calls back after a delay, in place of what was pending. */
  set(delayMs: number, callback: () => void): void {
    this.clear();
    // Browsers cut fractions off, which would be too early.
    this.#pending = setTimeout(
      () => {
        this.#pending = undefined;
        callback();
      },
      Math.min(Math.ceil(delayMs), MAX_DELAY_MS),
    );
  }

  /** Cancels what is pending. */
  clear(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
  }
}
