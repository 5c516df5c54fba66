/** The visitor's clocks: how far they are ahead of UTC, and when that changes next. */

const MINUTE_MS = 60_000;
/** How far ahead a change is looked for: more than the year in which clocks that change at all do so. */
const MINUTES_AHEAD = 58 * 7 * 1_440;
/** Steps in which it is looked for, halved down to a minute: less than a week, within which no clock changes twice. */
const STEP_MINUTES = 8_192;

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
  let minute = Math.floor(nowMs / MINUTE_MS);
  const utc_offset_minutes = offsetAt(minute);
  const end = minute + MINUTES_AHEAD;
  for (let step = STEP_MINUTES; step >= 1; step /= 2)
    while (minute < end && offsetAt(minute + step) === utc_offset_minutes) minute += step;
  if (minute >= end) return { utc_offset_minutes };
  minute += 1;
  const changes_at = new Date(minute * MINUTE_MS).toISOString();
  return { utc_offset_minutes, changes_at, next_utc_offset_minutes: offsetAt(minute) };
}

function offsetAt(minute: number): number {
  return 0 - new Date(minute * MINUTE_MS).getTimezoneOffset();
}
