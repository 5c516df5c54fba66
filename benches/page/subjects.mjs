/** The pages that are measured: Attune by its script tag, two other SDKs as their documentation shows for npm, and none. */

import { Collector, WRITE_KEY } from '../../tests/e2e/rig/collector.mjs';
import { listen } from '../../tests/e2e/rig/listen.mjs';
import { bodyOf } from '../../tests/e2e/rig/parts.mjs';
import { posthog } from '../delivery/sdks/posthog.mjs';
import { segment } from '../delivery/sdks/segment.mjs';
import { pageWith, serveSite } from '../delivery/site.mjs';
import { rules } from './rules.mjs';

/** Stands in for what the rig of `delivery` offers its pages: it tracks one event at once. */
const RIG = `globalThis.openRig = (record, ready) => {
  record({ n: 1 });
  performance.mark('tracked');
  Promise.resolve(ready).then(() => performance.mark('ready'), () => {});
};`;

/** Marks the moment at which a decision has changed the element. */
const WATCH = `<script>
  new MutationObserver(() => performance.mark('painted')).observe(document.querySelector('#hero'), { childList: true, characterData: true, subtree: true });
</script>`;

/** Attune, from a collector of its own. */
export const attune = {
  name: 'attune',
  version: '',
  async open() {
    const collector = await Collector.start(rules());
    const tag = `<script src="${collector.url}/sdk/attune.js" data-write-key="${WRITE_KEY}"></script>`;
    const first = `<script>openRig((metadata) => attune.track('first', metadata), attune.ready);</script>`;
    const page = pageWith('<script src="/rig.js"></script>', tag, first);
    return opened([['/index.html', page]], () => collector.remove());
  },
};

/** Attune by its loader, on a page that has something to decide for whoever has been there before. */
export const loader = {
  name: 'attune by its loader',
  async open() {
    const collector = await Collector.start(seenBefore());
    const tag = `<script src="${collector.url}/sdk/loader.js" data-write-key="${WRITE_KEY}"></script>`;
    // The loader stands behind the element, so that it need not wait for the parser.
    const page = `<!doctype html><html lang="en"><title>Loader</title><h1 id="hero">Original</h1>${WATCH}${tag}<p>End</p>`;
    return opened([['/index.html', page]], () => collector.remove());
  },
};

/** A page without an SDK, beside which all others are to be read. */
export const none = {
  name: 'none',
  version: '',
  open: () =>
    opened([
      ['/index.html', pageWith('<script src="/rig.js"></script>', '<script>openRig(() => {});</script>')],
    ]),
};

/** Others, beside Attune. */
export const PEERS = [segment, posthog].map(({ name, version, open }) => ({
  name,
  version,
  async open() {
    const peer = open();
    const backend = await listen(async (request, response) => {
      await peer.serve(request, response, await bodyOf(request), () => {});
    });
    return opened(await peer.files(backend.url, {}), () => backend.close());
  },
}));

async function opened(files, close = () => {}) {
  const site = await serveSite([...files, ['/rig.js', RIG]]);
  return {
    url: `${site.url}/index.html`,
    async close() {
      await site.close();
      await close();
    },
  };
}

function seenBefore() {
  const signals = [{ name: 'views', on: 'view', aggregate: 'count', window: 'lifetime' }];
  const actions = [{ kind: 'text', target: '#hero', value: 'Decided' }];
  return { signals, rules: [{ id: 'known', slot: 'hero', when: { 'signals.views': { $gte: 1 } }, actions }] };
}
