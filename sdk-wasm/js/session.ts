/** The visit an event belongs to: 30 minutes idle end it, 24 hours at most, shared by all tabs of the site. */

import { type KeyValue, tryWrite } from './browser/storage.ts';
import { timer } from './browser/timer.ts';
import { uuidV7 } from './uuid.ts';

const IDLE_MS = 30 * 60_000;
const MAX_MS = 24 * 3_600_000;
const WRITE_DELAY_MS = 1_000;

interface State {
  id: string;
  startedMs: number;
  lastMs: number;
}

/** Decides the session of each event at capture; reads localStorage only when its own session has ended. */
export class Session {
  readonly #storage: KeyValue | undefined;
  readonly #key: string;
  #state: State | undefined;
  readonly #timer = timer();

  constructor(storage: KeyValue | undefined, key: string) {
    this.#storage = storage;
    this.#key = key;
    this.#state = parse(storage?.getItem(key));
  }

  /** The session at an instant; an event there keeps it alive. */
  at(ms: number): string {
    let state = this.#state;
    if (!isLive(state, ms)) {
      const stored = parse(this.#storage?.getItem(this.#key));
      state = isLive(stored, ms) ? stored : { id: uuidV7(ms), startedMs: ms, lastMs: ms };
      this.#state = state;
      // A tab that opens next is to find it.
      this.#flushAfter(0);
    }
    if (ms > state.lastMs) state.lastMs = ms;
    if (!this.#timer.isSet()) this.#flushAfter(WRITE_DELAY_MS);
    return state.id;
  }

  /** Begins a new session at once. */
  reset(ms: number): string {
    this.#state = { id: uuidV7(ms), startedMs: ms, lastMs: ms };
    this.flush();
    return this.#state.id;
  }

  /** Takes what another tab has stored: of two sessions begun side by side, the older stays in both tabs. */
  follow(text: string | null, ms: number): void {
    const other = parse(text);
    if (!isLive(other, ms)) return;
    const own = this.#state;
    if (!isLive(own, ms) || other.id < own.id) this.#state = other;
    else if (other.id === own.id) own.lastMs = Math.max(own.lastMs, other.lastMs);
  }

  /** Takes what is stored in place of its own: another tab has begun anew for another visitor. */
  reload(): void {
    this.#state = parse(this.#storage?.getItem(this.#key));
  }

  /** Writes now what is waiting to be written. */
  flush(): void {
    this.#timer.clear();
    const state = this.#state;
    if (state) tryWrite(this.#storage, this.#key, `${state.id} ${state.startedMs} ${state.lastMs}`);
  }

  #flushAfter(delayMs: number): void {
    this.#timer.set(delayMs, () => this.flush());
  }
}

function isLive(state: State | undefined, ms: number): state is State {
  return state !== undefined && ms - state.lastMs < IDLE_MS && ms - state.startedMs < MAX_MS;
}

function parse(text: string | null | undefined): State | undefined {
  const [id, started, last] = (text ?? '').split(' ');
  const startedMs = Number(started);
  const lastMs = Number(last);
  const isWhole = id?.length === 36 && startedMs > 0 && lastMs >= startedMs;
  return isWhole ? { id, startedMs, lastMs } : undefined;
}
