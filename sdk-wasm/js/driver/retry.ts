/** Pauses before another try. */

/** A delay that doubles with every failure up to a limit, spread by chance from half of it to one and a half. */
export function backoffMs(baseMs: number, failures: number, maxDoublings: number): number {
  return baseMs * 2 ** Math.min(failures, maxDoublings) * (0.5 + Math.random());
}

/** `Retry-After` as a delay: seconds, or a date that browsers can read. */
export function retryAfterMs(text: string | null, nowMs: number): number | undefined {
  if (/^\s*\d+\s*$/.test(text ?? '')) return Number(text) * 1_000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
