/** The server of another SDK: it answers as the real one would, and keeps which events it has received. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readable } from './fault.mjs';

/**
 * Opens a backend for a peer. `eventsOf` gives `[id, n]` of each event in a delivering request, `answer` the text of an
 * answer. Such a server deduplicates by id, so that only a second id for the same number counts as double.
 */
export function openPeer({ delivers, eventsOf, answer, assets, files }) {
  const ids = new Map();
  let repeats = 0;
  const keep = ([id, n]) => {
    if (n === undefined) return;
    const known = ids.get(n) ?? ids.set(n, new Set()).get(n);
    if (known.has(id)) repeats += 1;
    known.add(id);
  };
  return {
    delivers,
    eventsOf,
    assets,
    files,
    async serve(request, response, body, pause) {
      const { pathname } = new URL(request.url, 'http://peer');
      if (delivers(request.method, pathname)) {
        for (const event of eventsOf(body)) keep(event);
      }
      await pause();
      const { text, type = 'application/json' } = answer(pathname);
      response?.writeHead(200, { ...readable(request), 'content-type': type }).end(text);
    },
    account() {
      const doubled = [...ids.values()].reduce((sum, known) => sum + known.size - 1, 0);
      return { delivered: ids.size, doubled, repeats };
    },
    close() {},
  };
}

/** The JSON of a body: as it is, compressed, or as the `data` of a form in base64. */
export function readJson(body) {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const text = (isGzip ? gunzipSync(body) : body).toString('utf8');
  if (!text.startsWith('data=')) return JSON.parse(text);
  const data = new URLSearchParams(text).get('data');
  return JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
}

/** The version of an npm package. */
export function versionOf(npm) {
  const manifest = join(import.meta.dirname, '../../node_modules', npm, 'package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}
