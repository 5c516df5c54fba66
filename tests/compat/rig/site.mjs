/** A page of a site's own that runs a library. */

import { build } from 'esbuild';
import { listen } from '../../e2e/rig/listen.mjs';

/** Serves one page, titled Shoes, under every path; it runs a module that imports what a folder has installed. */
export async function openSite(contents, resolveDir) {
  const stdin = { contents, resolveDir };
  const built = await build({ stdin, bundle: true, format: 'iife', write: false, logLevel: 'error' });
  const script = built.outputFiles[0].text.replaceAll('</script', '<\\/script');
  const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shoes</title><script>${script}</script>`;
  return await listen((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
}
