/**
 * Other SDKs that sites load today: what each does, how its documentation has a page load it, and what it loads later.
 *
 * `code` is the quick start of the npm package, `file` what the vendor's own snippet loads, where it is in the package.
 * `later` is what pages request of the vendor beside that and their events: what Chromium was seen to request, and what
 * settings of the vendor's may add, of which `parts` are in the package.
 */

const PARTS_OF_POSTHOG =
  'config.js of the project, which may switch on surveys.js, lazy-recorder.js, web-vitals-with-attribution.js, exception-autocapture.js and dead-clicks-autocapture.js';

export const PEERS = [
  {
    name: 'segment',
    npm: '@segment/analytics-next',
    does: 'capture',
    code: `import { AnalyticsBrowser } from '@segment/analytics-next';
      const segment = AnalyticsBrowser.load({ writeKey: 'key' });
      segment.track('event');`,
    file: 'dist/umd/standalone.js',
    later:
      'settings of the source as JSON; parts for destinations in the page, routing rules and plans where it has some',
  },
  {
    name: 'rudderstack',
    npm: '@rudderstack/analytics-js',
    does: 'capture',
    code: `import { RudderAnalytics } from '@rudderstack/analytics-js';
      const rudderstack = new RudderAnalytics();
      rudderstack.load('key', 'https://collector.example');
      rudderstack.track('event');`,
    needsVendor: true,
    later:
      'configuration of the source as JSON; rsa-plugins.js and the plugins, without which it sends nothing',
  },
  {
    name: 'rudderstack, bundled',
    npm: '@rudderstack/analytics-js',
    does: 'capture',
    code: `import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
      const rudderstack = new RudderAnalytics();
      rudderstack.load('key', 'https://collector.example');
      rudderstack.track('event');`,
    later: 'configuration of the source as JSON; scripts of destinations in the page where it has some',
  },
  {
    name: 'snowplow',
    npm: '@snowplow/browser-tracker',
    does: 'capture',
    code: `import { newTracker, trackPageView } from '@snowplow/browser-tracker';
      newTracker('snowplow', 'https://collector.example', { appId: 'shop' });
      trackPageView();`,
    later: 'nothing',
  },
  {
    name: 'posthog, slim',
    npm: 'posthog-js',
    does: 'capture',
    code: `import { posthog } from 'posthog-js/dist/module.slim';
      posthog.init('key', { api_host: 'https://collector.example' });
      posthog.capture('event');`,
    later: 'config.js of the project',
  },
  {
    name: 'posthog',
    npm: 'posthog-js',
    does: 'capture and flags',
    code: `import posthog from 'posthog-js';
      posthog.init('key', { api_host: 'https://collector.example' });
      posthog.capture('event');
      posthog.onFeatureFlags(() => posthog.isFeatureEnabled('flag'));`,
    file: 'dist/array.js',
    parts: [
      'dist/surveys.js',
      'dist/lazy-recorder.js',
      'dist/web-vitals-with-attribution.js',
      'dist/exception-autocapture.js',
      'dist/dead-clicks-autocapture.js',
    ],
    later: `flags, which its server decides, as JSON; ${PARTS_OF_POSTHOG}`,
  },
  {
    name: 'growthbook',
    npm: '@growthbook/growthbook',
    does: 'flags',
    code: `import { GrowthBook } from '@growthbook/growthbook';
      const growthbook = new GrowthBook({ apiHost: 'https://flags.example', clientKey: 'key' });
      growthbook.init().then(() => growthbook.isOn('flag'));`,
    file: 'dist/bundles/auto.min.js',
    later: 'features as JSON',
  },
];

/** What sites load together for what Attune does alone: the first captures, the second decides in the page. PostHog does both. */
export const TOGETHER = [
  ['segment', 'growthbook'],
  ['rudderstack, bundled', 'growthbook'],
  ['snowplow', 'growthbook'],
];
