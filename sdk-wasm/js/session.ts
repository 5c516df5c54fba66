/** The visit an event belongs to: 30 minutes idle end it, 24 hours at most, shared by all tabs of the site. */

import type { KeyValue } from './browser/storage.ts';
import { timer } from './browser/timer.ts';
import { wallMs } from './clock.ts';
import { isLive, type State, stateOf } from './session-state.ts';
import { uuidV7 } from './uuid.ts';

const WRITE_DELAY_MS = 1_000;

/** Decides the session of each event at capture; reads localStorage only when its own session has ended. */
export interface Session {
  /** The session at an instant; an event there keeps it alive. */
  at(ms: number): string;
  /** The session that lives at an instant, if one does; nothing begins. */
  living(ms: number): string | undefined;
  /** Begins a new session at once; one that waits to be agreed on is told to nobody. */
  reset(ms: number, waits?: boolean): string;
  /**
   * Takes what another tab, or an earlier page, has stored: of two sessions begun side by side, the older stays in both
   * tabs, unless all have agreed on one. Until then what this one has begun is told to no other; then it is written at once.
   */
  follow(text: unknown, ms: number, isAgreed?: boolean): void;
  /** Takes what is stored in place of its own: another tab has begun anew for another visitor. */
  reload(): void;
  /** Writes now what is waiting to be written. */
  flush(): void;
}

/** Opens the session that is stored under a key; `written` hears of every write, to make it last. */
export function openSession(
  storage: KeyValue,
  key: string,
  written: (text: string) => void = () => {},
): Session {
  const due = timer();
  const stored = () => stateOf(storage.getItem(key));
  let state = stored();
  /** Whether what goes on here is what goes on in the other tabs. */
  let hasAgreed = isLive(state, wallMs());

  const flush = () => {
    due.clear();
    if (!state) return;
    const text = state.join(' ');
    storage.setItem(key, text);
    written(text);
  };
  const begin = (ms: number): State => [uuidV7(ms), ms, ms];
  return {
    at(ms) {
      let now = state;
      if (!isLive(now, ms)) {
        now = stored();
        if (!isLive(now, ms)) now = begin(ms);
        state = now;
        // A tab that opens next is to find it.
        if (hasAgreed) due.set(0, flush);
      }
      now[2] = Math.max(now[2], ms);
      if (hasAgreed && !due.isSet()) due.set(WRITE_DELAY_MS, flush);
      return now[0];
    },
    living: (ms) => (isLive(state, ms) ? state[0] : undefined),
    reset(ms, waits) {
      const now = begin(ms);
      state = now;
      if (waits) hasAgreed = false;
      else flush();
      return now[0];
    },
    follow(text, ms, isAgreed) {
      const other = stateOf(text);
      if (!isLive(other, ms)) return;
      if (!hasAgreed || !isLive(state, ms) || other[0] < state[0]) state = other;
      else if (other[0] === state[0]) state[2] = Math.max(state[2], other[2]);
      hasAgreed = true;
      if (isAgreed) flush();
    },
    reload() {
      state = stored();
    },
    flush,
  };
}
