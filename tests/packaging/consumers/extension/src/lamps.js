/** What both do: what judges events, and what verifies rules, is inside the script as well. */

import { init } from 'attune/inline';

export function viewLamps(where) {
  const { collector, trust } = Object.fromEntries(new URLSearchParams(location.search));
  const attune = init({ writeKey: 'e2e', collector, trust, filter: { deny: ['debug.*'] } });
  attune.onError(({ code, message }) => console.error(code, message));
  attune.track('debug.start');
  for (let view = 0; view < 3; view += 1) attune.track('product_view', { category: 'lamps', where });
}
