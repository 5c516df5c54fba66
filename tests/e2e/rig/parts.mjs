/** A site that holds parts of the SDK for tests of one part at a time, and answers as the tests ask it to. */

import { join } from 'node:path';
import { build } from 'esbuild';
import { listen } from './listen.mjs';

const js = join(import.meta.dirname, '../../../sdk-wasm/js');

/**
 * Serves a page with what these modules of `sdk-wasm/js` export at `window.parts`; `answers` go by path, `policy` is its Content Security
 * Policy.
 */
export async function serveParts(modules, answers = {}, policy = undefined) {
  const { outputFiles } = await build({
    stdin: { contents: modules.map((name) => `export * from './${name}';`).join('\n'), resolveDir: js },
    bundle: true,
    format: 'iife',
    globalName: 'parts',
    target: 'es2022',
    write: false,
  });
  const page =
    '<!doctype html><html lang="en"><title>Parts</title><body><script src="/parts.js"></script></body></html>';
  return listen((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (pathname === '/parts.js') response.end(outputFiles[0].text);
    else if (pathname === '/') {
      if (policy) response.setHeader('content-security-policy', policy);
      response.setHeader('content-type', 'text/html').end(page);
    } else if (answers[pathname]) answers[pathname](request, response);
    else response.writeHead(404).end();
  });
}

/** The whole body of a request. */
export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
