/** Segment's analytics-next as its README shows for npm. */

import { AnalyticsBrowser } from '@segment/analytics-next';

// Documented: `cdnURL` and `apiHost` for proxies, `protocol`. All else is the default: the persisted retry queue
// (`disableClientPersistence: false`), to which events in flight go back when the page is left. `keepalive` stays off,
// as the documentation says that it makes losses likelier.
const analytics = AnalyticsBrowser.load(
  { writeKey: 'delivery', cdnURL: `${location.origin}/segment` },
  { integrations: { 'Segment.io': { apiHost: `${new URL(COLLECTOR).host}/v1`, protocol: 'http' } } },
);
globalThis.openRig((metadata) => analytics.track('delivery', metadata), analytics.ready());
