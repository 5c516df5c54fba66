/** RudderStack's JavaScript SDK as its README shows for npm, with the plugins bundled. */

import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

// Documented: `configUrl`. All else is the default, which its makers call guaranteed delivery: XMLHttpRequest from a
// queue in localStorage (`useBeacon: false`), ten attempts, and what other pages have left is taken over.
const analytics = new RudderAnalytics();
const isLoadedBySnippet = globalThis.rudderSnippet !== undefined;
if (!isLoadedBySnippet) {
  analytics.load('delivery', COLLECTOR, { configUrl: `${location.origin}/rudder` });
  const ready = new Promise((resolve) => analytics.ready(resolve));
  globalThis.openRig((metadata) => analytics.track('delivery', metadata), ready);
}
