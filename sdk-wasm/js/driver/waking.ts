/** The instant at which time alone can change what is decided. */

import { timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';

/** At most one instant that is waited for. */
export interface Waking {
  /** Waits for a wall time in place of what was waited for; 0: for nothing. */
  set(atMs: number): void;
  /** Waits for nothing, for good. */
  end(): void;
}

/** Waits for nothing; `wake` is called when an instant has come. */
export function openWaking(wake: () => void): Waking {
  const due = timer();
  let dueMs = 0;
  let hasEnded = false;
  return {
    set(atMs) {
      if (hasEnded || (due.isSet() && atMs === dueMs)) return;
      dueMs = atMs;
      if (atMs) due.set(Math.max(0, atMs - wallMs()), wake);
      else due.clear();
    },
    end() {
      hasEnded = true;
      due.clear();
    },
  };
}
