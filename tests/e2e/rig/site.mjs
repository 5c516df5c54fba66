/** A site of a test's own, on another origin than the collector: pages as texts, and the npm package beside them. */

import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './listen.mjs';
import { bodyOf } from './parts.mjs';

const dist = join(import.meta.dirname, '../../../sdk-wasm/dist');
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html; charset=utf-8' };

/**
 * Serves `pages` (path to HTML), `/attune/*` from the built package and `/sdk/*` from its files for script tags; `headers` go with every answer, and all of `/sdk/*` but the loader
 * comes after `sdkMs`. What pages post to `/said`, as JSON, is kept in `said`. `awaited`, where it is set, is asked for every path: it
 * is answered when that has settled, and with 503 where that fails: a connection that breaks off browsers try again by themselves.
 */
export async function serveSite(pages, headers = {}, sdkMs = 0) {
  const site = { said: [], awaited: undefined };
  const { said } = site;
  const server = await listen(async (request, response) => {
    if (request.method === 'POST') {
      said.push(JSON.parse(await bodyOf(request)));
      return response.end();
    }
    const path = new URL(request.url, 'http://site').pathname;
    const page = pages[path];
    try {
      await site.awaited?.(path);
    } catch {
      return response.writeHead(503).end();
    }
    if (path.startsWith('/sdk/') && !path.endsWith('/loader.js')) await sleep(sdkMs);
    const type = page === undefined ? TYPES[extname(path)] : TYPES['.html'];
    try {
      const body = page ?? readFileSync(join(dist, path.startsWith('/sdk/') ? 'script' : '', basename(path)));
      response.writeHead(200, { 'content-type': type ?? 'application/octet-stream', ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return Object.assign(site, server);
}

/**
 * A page that uses the npm package as a customer would, and keeps what tests ask for at `window.attune`; `options` are
 * further options of `init`.
 */
export function packagePage(collectorUrl, writeKey, options = {}) {
  const all = JSON.stringify({ writeKey, collector: collectorUrl, ...options });
  return `<!doctype html>
<html lang="en">
<title>Fixture</title>
<h1 id="headline">Welcome</h1>
<script type="module">
  import { init } from '/attune/index.js';
  window.attuneErrors = [];
  window.attune = init(${all});
  window.attune.onError((error) => window.attuneErrors.push(error.code + ': ' + error.message));
  window.attune.ready.then(() => { document.documentElement.dataset.ready = 'yes'; });
</script>
</html>`;
}
