/** PostHog's JavaScript SDK: batches every three seconds, a retry queue in memory, `uuid` as identity. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPeer, readJson, versionOf } from '../peer.mjs';
import { answerWith, bundlePage, pageWith } from '../site.mjs';

const NPM = 'posthog-js';
const SCRIPT = '/static/array.js';
const SCRIPT_DELAY_MS = 500;
const dist = join(import.meta.dirname, '../../../node_modules', NPM, 'dist');
/** What the server says of a project that has nothing switched on. */
const CONFIG = {
  supportedCompression: ['gzip', 'gzip-js'],
  featureFlags: {},
  featureFlagPayloads: {},
  flags: {},
  hasFeatureFlags: false,
  sessionRecording: false,
  surveys: false,
  siteApps: [],
  toolbarParams: {},
  isAuthenticated: false,
  defaultIdentifiedOnly: true,
};

export const posthog = {
  name: 'posthog',
  version: versionOf(NPM),

  open() {
    const script = readFileSync(join(dist, 'array.js'));
    return openPeer({
      delivers: (method, path) => method === 'POST' && /^\/(i\/v\d\/)?(e|capture|batch)\/?$/.test(path),
      eventsOf(body) {
        const sent = readJson(body);
        const events = Array.isArray(sent) ? sent : (sent.batch ?? [sent]);
        return events.map(({ uuid, properties }) => [uuid, properties?.n]);
      },
      answer: (path) => {
        if (path.endsWith('/config.js')) return { text: configScript(), type: 'text/javascript' };
        const isConfig = /^\/(flags|decide|array)/.test(path);
        return { text: JSON.stringify(isConfig ? CONFIG : { status: 'Ok' }) };
      },
      assets: new Map([[SCRIPT, answerWith(script, SCRIPT, SCRIPT_DELAY_MS)]]),
      async files(url, first) {
        return [
          ['/rig-page.js', await bundlePage('posthog.mjs', url)],
          ['/index.html', pageWith('<script src="/rig.js"></script><script src="/rig-page.js"></script>')],
          ['/early.html', pageWith('<script src="/rig.js"></script>', snippet(url, first))],
        ];
      },
    });
  },
};

function configScript() {
  const config = JSON.stringify({ config: CONFIG, siteApps: [] });
  return `(window._POSTHOG_REMOTE_CONFIG ??= {})['phc_delivery'] = ${config};`;
}

/** The snippet of the documentation: an array that keeps calls, and how it is to be set up in `_i`. */
function snippet(url, first) {
  const options = {
    api_host: url,
    autocapture: false,
    capture_pageview: false,
    capture_pageleave: false,
    disable_session_recording: true,
    disable_surveys: true,
    opt_out_useragent_filter: true,
    rate_limiting: { events_per_second: 100, events_burst_limit: 1_000 },
  };
  return `<script>
    const posthog = (window.posthog = []);
    posthog._i = [];
    posthog.__SV = 1;
    posthog.people = [];
    for (const method of ['capture', 'register', 'identify', 'reset', 'group', 'onFeatureFlags']) {
      posthog[method] = (...values) => posthog.push([method, ...values]);
    }
    posthog._i.push(['phc_delivery', ${JSON.stringify(options)}, 'posthog']);
    const script = document.createElement('script');
    script.async = true;
    script.crossOrigin = 'anonymous';
    script.src = '${url}${SCRIPT}';
    document.head.append(script);
    openRig((metadata) => window.posthog.capture('delivery', metadata));
    rig.track(${JSON.stringify(first)});
  </script>`;
}
