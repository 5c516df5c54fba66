/** Snowplow's browser tracker as its documentation shows for npm. */

import { newTracker, trackPageView, trackSelfDescribingEvent } from '@snowplow/browser-tracker';

// Documented: `keepalive`, by which requests outlive the page. All else is the default: POST, an event store in
// localStorage, and failed requests tried again with the next event. The page view that its quick start tracks at each
// load is such an event.
newTracker('delivery', COLLECTOR, { appId: 'delivery', eventMethod: 'post', keepalive: true });
trackPageView();
const schema = 'iglu:delivery/tracked/jsonschema/1-0-0';
globalThis.openRig((data) => trackSelfDescribingEvent({ event: { schema, data } }));
