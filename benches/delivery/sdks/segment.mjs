/** Segment's analytics-next: one request an event, a retry queue in localStorage, `messageId` as identity. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPeer, readJson, versionOf } from '../peer.mjs';
import { answerWith, bundlePage, folderFiles, pageWith } from '../site.mjs';

const NPM = '@segment/analytics-next';
const umd = join(import.meta.dirname, '../../../node_modules', NPM, 'dist/umd');
const SCRIPT = '/analytics.js/v1/delivery/analytics.min.js';
const SCRIPT_DELAY_MS = 500;
/** What the CDN says of a source whose only destination is Segment itself. */
const SETTINGS = {
  integrations: { 'Segment.io': { apiKey: 'delivery', unbundledIntegrations: [], addBundledMetadata: true } },
  plan: { track: { __default: { enabled: true, integrations: {} } } },
  analyticsNextEnabled: true,
  enabledMiddleware: {},
  metrics: { sampleRate: 0 },
  remotePlugins: [],
};

export const segment = {
  name: 'segment',
  version: versionOf(NPM),

  open() {
    return openPeer({
      delivers: (method, path) => method === 'POST' && /^\/v1\/(t|b|batch|track)$/.test(path),
      eventsOf(body) {
        const sent = readJson(body);
        return (sent.batch ?? [sent]).map(({ messageId, properties }) => [messageId, properties?.n]);
      },
      answer: () => ({ text: '{"success":true}' }),
      async files(url, first) {
        const script = readFileSync(join(umd, 'standalone.js'));
        return [
          ['/rig-page.js', await bundlePage('segment.mjs', url)],
          ['/index.html', pageWith('<script src="/rig.js"></script><script src="/rig-page.js"></script>')],
          ['/segment/v1/projects/delivery/settings', JSON.stringify(SETTINGS)],
          ['/v1/projects/delivery/settings', JSON.stringify(SETTINGS)],
          [SCRIPT, answerWith(script, SCRIPT, SCRIPT_DELAY_MS)],
          ...folderFiles(umd, '/analytics-next/bundles/'),
          ['/early.html', pageWith('<script src="/rig.js"></script>', snippet(url, first))],
        ];
      },
    });
  },
};

/** The snippet of the documentation: an array that keeps calls; `_cdn` is where a proxy serves what it loads. */
function snippet(url, first) {
  const options = {
    integrations: { 'Segment.io': { apiHost: `${new URL(url).host}/v1`, protocol: 'http' } },
  };
  return `<script>
    const analytics = (window.analytics = []);
    analytics.invoked = true;
    for (const method of ['identify', 'reset', 'group', 'track', 'ready', 'page', 'once', 'off', 'on']) {
      analytics[method] = (...values) => (analytics.push([method, ...values]), analytics);
    }
    analytics._writeKey = 'delivery';
    analytics._cdn = location.origin;
    analytics._loadOptions = ${JSON.stringify(options)};
    analytics.SNIPPET_VERSION = '5.2.0';
    const script = document.createElement('script');
    script.async = true;
    script.dataset.globalSegmentAnalyticsKey = 'analytics';
    script.src = '${SCRIPT}';
    document.head.append(script);
    openRig((metadata) => window.analytics.track('delivery', metadata));
    rig.track(${JSON.stringify(first)});
  </script>`;
}
