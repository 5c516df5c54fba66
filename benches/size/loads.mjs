/** What pages load of other SDKs: each as a site would bundle it, and the file of its vendor where the package has it. */

import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { PEERS, TOGETHER } from './peers.mjs';
import { sum, weigh } from './weigh.mjs';

const benches = join(import.meta.dirname, '..');
const modules = join(benches, '../node_modules');

/** The packages that are not installed. */
export function missing() {
  const names = new Set(PEERS.map(({ npm }) => npm));
  return [...names].filter((npm) => !existsSync(join(modules, npm, 'package.json')));
}

/** A line for each SDK in each of its forms, and for those that are loaded together. */
export async function peerLines() {
  const lines = [];
  for (const peer of PEERS) lines.push(...(await linesOf(peer)));
  for (const names of TOGETHER) lines.push(...(await linesTogether(names, lines)));
  return lines;
}

async function linesOf({ name, npm, does, code, file, parts, needsVendor, later }) {
  const { version } = JSON.parse(readFileSync(join(modules, npm, 'package.json'), 'utf8'));
  const peer = { peer: name, version, does, package: npm };
  const { weight, imports } = await bundle(code);
  const apart = imports.length > 0 ? { imports_later: imports } : {};
  const lines = [{ ...peer, form: 'npm', ...weight, ...apart, needs_vendor: needsVendor, later }];
  const weighed = (path) => weigh(readFileSync(join(modules, npm, path)));
  if (file) lines.push({ ...peer, form: 'script tag', file, ...weighed(file), later });
  if (parts)
    lines.push({ ...peer, form: 'switched on by its project', files: parts, ...sum(parts.map(weighed)) });
  return lines;
}

/** Of both at once: one bundle by npm, which is less than two, and two files by script tags. */
async function linesTogether(names, lines) {
  const peers = names.map((name) => PEERS.find((peer) => peer.name === name));
  const line = { peers: names, does: 'capture and flags' };
  const { weight } = await bundle(peers.map(({ code }) => code).join('\n'));
  const together = [{ ...line, form: 'npm', ...weight }];
  if (peers.every(({ file }) => file)) {
    const tags = names.map((name) => lines.find(({ peer, form }) => peer === name && form === 'script tag'));
    together.push({ ...line, form: 'script tag', ...sum(tags) });
  }
  return together;
}

/** Bundles a module with all that it imports at once; what it may import later is named, and not in its weight. */
async function bundle(code) {
  const imports = new Set();
  const later = {
    name: 'imported later',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ kind, path }) => {
        if (kind !== 'dynamic-import') return undefined;
        imports.add(basename(path));
        return { external: true };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: benches },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'error',
    plugins: [later],
    write: false,
  });
  return { weight: weigh(outputFiles[0].contents), imports: [...imports].sort() };
}
