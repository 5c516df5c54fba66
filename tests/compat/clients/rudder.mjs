/** The same with @rudderstack/rudder-sdk-node. */

import RudderAnalytics from '@rudderstack/rudder-sdk-node';

const [dataPlaneUrl, writeKey, visits] = process.argv.slice(2);
const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl, flushAt: 50, flushInterval: 100 });

/** Resolves once the library has delivered the message. */
const delivered = (call, message) =>
  new Promise((resolve, reject) => {
    analytics[call](message, (error) => (error ? reject(error) : resolve()));
  });

const userId = 'user_1';
const all = [
  delivered('identify', { userId, traits: { plan: 'gold', address: { city: 'Oslo' } } }),
  delivered('page', { userId, name: 'Home', properties: { path: '/' } }),
  delivered('group', { userId, groupId: 'acme', traits: { size: 7 } }),
  delivered('alias', { userId, previousId: 'old_1' }),
  delivered('track', { userId, event: 'Order Completed', properties: { total: 9.5 } }),
];
for (let visit = 0; visit < Number(visits); visit += 1) {
  all.push(delivered('track', { anonymousId: 'browser_1', event: 'Visited', properties: { visit } }));
}
await Promise.all(all);
