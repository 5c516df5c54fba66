/** Wall time of the page that does not run backwards over small corrections of the clock. */

const SMALL_STEP_MS = 60_000;
let lastMs = 0;

/** Milliseconds since 1970; a clock set back by less than a minute stands still until it has caught up. */
export function wallMs(): number {
  const now = Date.now();
  if (now > lastMs || now < lastMs - SMALL_STEP_MS) lastMs = now;
  return lastMs;
}
