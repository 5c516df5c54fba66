/** What Attune is to reach in every scenario, whatever the others do. */

/**
 * Requests that deliver, at most. A visit is healthy where neither the network nor the collector fails, refuses or is slow,
 * also where the page ends before it has read its receipt: the page that returns then sends once more. A burst is more than
 * one body holds.
 */
const MAX_REQUESTS = { healthy: 2, outage: 12, burst: 4 };

/** What is missed of a scenario's goal, in words; nothing where it is met. */
export function missed(scenario, line) {
  if (line.error) return [line.error];
  const limit = MAX_REQUESTS[scenario.goal];
  return [
    line.delivered < line.tracked && `${line.tracked - line.delivered} lost`,
    line.double_counted > 0 && `${line.double_counted} counted twice`,
    line.requests > limit && `${line.requests} requests, ${limit} at most`,
    line.preflights > 0 && `${line.preflights} preflights`,
  ].filter(Boolean);
}

/** What is wrong with the rig itself: faults at which nobody fails are none. */
export function isToothless(lines) {
  const others = lines.filter(({ met, skipped }) => met === undefined && !skipped);
  const hasFailed = ({ delivered, tracked, error }) => !error && delivered < tracked;
  return others.length > 0 && !others.some(hasFailed);
}
