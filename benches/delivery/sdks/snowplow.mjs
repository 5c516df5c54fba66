/** Snowplow's browser tracker: an event store in localStorage, `eid` as identity; its snippet is in another package. */

import { openPeer, readJson, versionOf } from '../peer.mjs';
import { bundlePage, pageWith } from '../site.mjs';

const NPM = '@snowplow/browser-tracker';

export const snowplow = {
  name: 'snowplow',
  version: versionOf(NPM),

  open() {
    return openPeer({
      delivers: (method, path) => method === 'POST' && path === '/com.snowplowanalytics.snowplow/tp2',
      eventsOf: (body) => readJson(body).data.map((event) => [event.eid, numberOf(event)]),
      answer: () => ({ text: 'ok', type: 'text/plain' }),
      async files(url) {
        return [
          ['/rig-page.js', await bundlePage('snowplow.mjs', url)],
          ['/index.html', pageWith('<script src="/rig.js"></script><script src="/rig-page.js"></script>')],
        ];
      },
    });
  },
};

/** The number in a self-describing event, whose JSON is in base64 or plain. */
function numberOf({ ue_px: encoded, ue_pr: plain }) {
  const text = plain ?? Buffer.from(encoded ?? 'bnVsbA', 'base64url').toString('utf8');
  return JSON.parse(text)?.data?.data?.n;
}
