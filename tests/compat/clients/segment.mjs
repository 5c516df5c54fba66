/** What a shop's server sends with @segment/analytics-node: `node segment.mjs <url> <write key> <visits>`. */

import { Analytics } from '@segment/analytics-node';

const [host, writeKey, visits] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 50 });
analytics.on('error', (error) => {
  console.error(error);
  process.exitCode = 1;
});

const userId = 'user_1';
analytics.identify({ userId, traits: { plan: 'gold', address: { city: 'Oslo' } } });
analytics.page({ userId, name: 'Home', properties: { path: '/' } });
analytics.group({ userId, groupId: 'acme', traits: { size: 7 } });
analytics.alias({ userId, previousId: 'old_1' });
analytics.track({ userId, event: 'Order Completed', properties: { total: 9.5 } });
for (let visit = 0; visit < Number(visits); visit += 1) {
  analytics.track({ anonymousId: 'browser_1', event: 'Visited', properties: { visit } });
}
await analytics.flush({ close: true });
