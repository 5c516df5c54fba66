/** PostHog's JavaScript SDK as its documentation shows for npm. */

import posthog from 'posthog-js';

const ready = new Promise((loaded) => {
  // Documented: `api_host`; `opt_out_useragent_filter`, since a headless browser counts as a bot; `rate_limiting` for
  // sites that capture in bursts; and what it records by itself switched off. Delivery is the default: batches, a retry
  // queue, beacons when the page is left.
  posthog.init('phc_delivery', {
    api_host: COLLECTOR,
    autocapture: false,
    capture_pageview: false,
    capture_pageleave: false,
    disable_session_recording: true,
    disable_surveys: true,
    opt_out_useragent_filter: true,
    rate_limiting: { events_per_second: 100, events_burst_limit: 1_000 },
    loaded,
  });
});
globalThis.openRig((metadata) => posthog.capture('delivery', metadata), ready);
