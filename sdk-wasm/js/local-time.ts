/** The visitor's clocks: how far they are ahead of UTC, and when that changes next. */

const MINUTE_MS = 60_000;
const WEEK_MINUTES = 7 * 1_440;
/** How far ahead a change is looked for: more than the year in which clocks that change at all do so. */
const WEEKS_AHEAD = 58;

/** The offset at an instant, and the next change of it, where there is one. */
export interface LocalTime {
  [name: string]: string | number | undefined;
  utc_offset_minutes: number;
  /** ISO 8601, in UTC. */
  changes_at?: string;
  next_utc_offset_minutes?: number;
}

/** The clocks of this host at an instant. */
export function localTime(nowMs: number): LocalTime {
  let before = Math.floor(nowMs / MINUTE_MS);
  const utc_offset_minutes = offsetAt(before);
  const last = before + WEEKS_AHEAD * WEEK_MINUTES;
  let after = before;
  while (offsetAt(after) === utc_offset_minutes) {
    if (after > last) return { utc_offset_minutes };
    before = after;
    after += WEEK_MINUTES;
  }
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle) === utc_offset_minutes) before = middle;
    else after = middle;
  }
  const changes_at = new Date(after * MINUTE_MS).toISOString();
  return { utc_offset_minutes, changes_at, next_utc_offset_minutes: offsetAt(after) };
}

function offsetAt(minute: number): number {
  return 0 - new Date(minute * MINUTE_MS).getTimezoneOffset();
}
