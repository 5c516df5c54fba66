/** RudderStack's JavaScript SDK: one request an event, a queue in localStorage, `messageId` as identity. */

import { openPeer, readJson, versionOf } from '../peer.mjs';
import { answerWith, bundlePage, pageWith } from '../site.mjs';

const NPM = '@rudderstack/analytics-js';
const SCRIPT = '/rsa.min.js';
const SCRIPT_DELAY_MS = 500;
/** What the control plane says of a source without destinations. */
const SOURCE = {
  source: {
    id: 'source',
    name: 'delivery',
    writeKey: 'delivery',
    workspaceId: 'workspace',
    enabled: true,
    destinations: [],
    connections: [],
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
  },
  updatedAt: '2026-01-01T00:00:00.000Z',
};

export const rudderstack = {
  name: 'rudderstack',
  version: versionOf(NPM),

  open() {
    return openPeer({
      delivers: (method, path) => method === 'POST' && /^\/(v1|beacon\/v1)\/(track|batch)$/.test(path),
      eventsOf(body) {
        const sent = readJson(body);
        return (sent.batch ?? [sent]).map(({ messageId, properties }) => [messageId, properties?.n]);
      },
      answer: () => ({ text: 'OK', type: 'text/plain' }),
      async files(url, first) {
        const page = await bundlePage('rudderstack.mjs', url);
        const source = JSON.stringify(SOURCE);
        return [
          ['/rig-page.js', page],
          ['/index.html', pageWith('<script src="/rig.js"></script><script src="/rig-page.js"></script>')],
          ['/rudder/sourceConfig/', source],
          ['/rudder/sourceConfig', source],
          [SCRIPT, answerWith(page, SCRIPT, SCRIPT_DELAY_MS)],
          ['/early.html', pageWith('<script src="/rig.js"></script>', snippet(url, first))],
        ];
      },
    });
  },
};

/** The snippet of the documentation: an array that keeps calls, `load` the first of them. */
function snippet(url, first) {
  return `<script>
    window.rudderSnippet = true;
    const rudderanalytics = (window.rudderanalytics = []);
    for (const method of ['load', 'page', 'track', 'identify', 'alias', 'group', 'ready', 'reset']) {
      rudderanalytics[method] = (...values) => rudderanalytics.push([method, ...values]);
    }
    rudderanalytics.load('delivery', '${url}', { configUrl: location.origin + '/rudder' });
    const script = document.createElement('script');
    script.async = true;
    script.src = '${SCRIPT}';
    document.head.append(script);
    openRig((metadata) => window.rudderanalytics.track('delivery', metadata));
    rig.track(${JSON.stringify(first)});
  </script>`;
}
