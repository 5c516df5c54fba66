/** The site: a page with one SDK, an empty one, and the files of the SDK, on another origin than the collector. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { listen } from '../../tests/e2e/rig/listen.mjs';

const TYPES = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.html': 'text/html; charset=utf-8',
};
const NO_SDK = '<!doctype html><html lang="en"><title>Elsewhere</title><body>Elsewhere</body></html>';

/** Serves files by path: texts, bytes, or functions that answer. */
export async function serveSite(files) {
  const all = new Map([['/elsewhere.html', NO_SDK], ...files]);
  return listen((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    const file = all.get(pathname);
    if (file === undefined) response.writeHead(404).end();
    else if (typeof file === 'function') file(request, response);
    else answerWith(file, pathname)(request, response);
  });
}

/** An answer with one file that any page may read, sent after a delay. */
export function answerWith(file, name, delayMs = 0) {
  return async (_, response) => {
    if (delayMs) await sleep(delayMs);
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' }).end(file);
  };
}

/** The files of a folder that a page may ask for, under a prefix. */
export function folderFiles(folder, prefix) {
  const served = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return served.map((name) => [`${prefix}${name}`, readFileSync(join(folder, name))]);
}

/** A page whose head has these elements. */
export function pageWith(...head) {
  const title = '<title>Delivery</title>';
  return `<!doctype html><html lang="en"><head>${title}${head.join('\n')}</head><body>Shop</body></html>`;
}

/** Bundles a module of `pages/`, in which the collector's address is the constant `COLLECTOR`. */
export async function bundlePage(name, collector) {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'pages', name)],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    define: { COLLECTOR: JSON.stringify(collector), 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
    write: false,
  });
  return outputFiles[0].text;
}
