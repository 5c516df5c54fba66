/** A server of built files, as a user would have: a folder, and pages that tests make. */

import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { listen } from '../../e2e/rig/listen.mjs';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves a folder; `pages` are texts by path, and `headers` go with every answer. What was asked for is in `asked`. */
export async function serveFolder(folder, { pages = {}, headers = {} } = {}) {
  const asked = [];
  const site = await listen((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    asked.push(pathname);
    const path = pathname === '/' ? '/index.html' : pathname;
    try {
      const body = pages[pathname] ?? readFileSync(join(folder, normalize(path)));
      const type = pages[pathname] === undefined ? TYPES[extname(path)] : TYPES['.html'];
      response.writeHead(200, { 'content-type': type ?? 'application/octet-stream', ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return { ...site, asked };
}
