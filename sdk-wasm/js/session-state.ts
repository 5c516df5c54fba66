/** A session as tabs and pages share it: a text with its id, its start and its last event. The loader shares this. */

const IDLE_MS = 30 * 60_000;
const MAX_MS = 24 * 3_600_000;
/** How far a clock may be set back without an end of the session. */
const SMALL_STEP_MS = 60_000;

/** A session, and when it began and was last alive. */
export type State = [id: string, startedMs: number, lastMs: number];

/** The session that a stored text says is going on at an instant. */
export function sessionAt(text: unknown, ms: number): string | undefined {
  const stored = stateOf(text);
  return isLive(stored, ms) ? stored[0] : undefined;
}

/**
 * Whether a session is going on at an instant, which may be earlier than now: that of a call that has waited. One that was alive
 * in the future is that of a clock which was ahead, and would go on until then.
 */
export function isLive(state: State | undefined, ms: number): state is State {
  return (
    state !== undefined &&
    ms - state[2] < IDLE_MS &&
    ms - state[1] < MAX_MS &&
    state[2] - Date.now() < SMALL_STEP_MS
  );
}

/** The session that a text says; nothing where it says none. */
export function stateOf(text: unknown): State | undefined {
  const [id = '', started, last] = String(text).split(' ');
  const [startedMs, lastMs] = [Number(started), Number(last)];
  return id.length === 36 && lastMs >= startedMs ? [id, startedMs, lastMs] : undefined;
}
