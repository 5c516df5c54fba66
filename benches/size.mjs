/**
 * Prints raw, gzip and brotli bytes of every file a page may load, and of what it loads before its first decision.
 * With `--gate` it fails where the latter, or what is loaded later, is over the limit that tests hold.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/**
 * What a page loads before its first decision, each with its limit in bytes: more is a failed test. docs/decisions/0025
 * and 0026 say why, and how a limit may change.
 */
const MAX_FIRST_BROTLI_BYTES = {
  'loader, scripts': 18.5 * 1024,
  'loader, before first decision': 36 * 1024,
  'script tag, scripts': 16.5 * 1024,
  'script tag, before first decision': 34 * 1024,
  'npm package, before capture': 15.25 * 1024,
  'npm package, before first decision': 33 * 1024,
  'npm package, first visit': 78 * 1024,
};
/** What comes behind that, and what only pages that ask for it load, each with its limit, in bytes. */
const MAX_LAZY_BROTLI_BYTES = {
  'capturing.js': 1.75 * 1024,
  'background.js': 5.75 * 1024,
  'restore.js': 1.75 * 1024,
  'attune_rest.wasm': 38.25 * 1024,
  'trust.js': 3.5 * 1024,
  'trust.wasm': 10 * 1024,
  'verifier.wasm': 21 * 1024,
  'actions.js': 2 * 1024,
  'preview.js': 10.75 * 1024,
  'filter.js': 3.5 * 1024,
  'filter.wasm': 12 * 1024,
  'visitor-cookie.js': 1.5 * 1024,
  'plain.js': 4.25 * 1024,
  'script/loader.js': 5 * 1024,
  'autocapture.js': 3 * 1024,
  'web-vitals.js': 3.5 * 1024,
  'react.js': 1.25 * 1024,
  'words.js': 1.25 * 1024,
};

const dist = join(import.meta.dirname, '../sdk-wasm/dist');
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

const files = [...list(''), ...list('script')].filter((name) => /\.(js|wasm|html)$/.test(name));
const sizes = new Map(files.map((name) => [name, measure(name)]));
for (const [artefact, size] of sizes) print({ artefact, ...size });

const scriptWasm = files.find((name) => /^script\/attune-\w+\.wasm$/.test(name));
const behindLoader = files.find((name) => /^script\/behind-loader-\w+\.js$/.test(name));
total('script tag, before capture', ['script/snippet.html']);
const first = {
  'loader, scripts': ['script/loader.js', behindLoader],
  'loader, before first decision': ['script/loader.js', behindLoader, scriptWasm],
  'script tag, scripts': ['script/snippet.html', 'script/attune.js'],
  'script tag, before first decision': ['script/snippet.html', 'script/attune.js', scriptWasm],
  'npm package, before capture': ['index.js'],
  'npm package, before first decision': ['index.js', 'attune_first.wasm'],
};
const behind = ['capturing.js', 'background.js', 'attune_rest.wasm'];
first['npm package, first visit'] = [...first['npm package, before first decision'], ...behind];
const weights = new Map(Object.entries(first).map(([name, parts]) => [name, total(name, parts)]));
total('npm package, before first decision, more where earlier pages have left events', ['restore.js']);
total('npm package, behind first decision', behind);
total('npm package, by trusted keys, more', ['trust.js', 'trust.wasm']);
total('npm package, by trusted keys, more without WebCrypto', ['trust.js', 'verifier.wasm']);
if (process.argv.includes('--gate')) {
  for (const [name, limit] of Object.entries(MAX_FIRST_BROTLI_BYTES)) {
    gate(name, weights.get(name) ?? Number.NaN, limit);
  }
  for (const [name, limit] of Object.entries(MAX_LAZY_BROTLI_BYTES)) {
    gate(name, sizes.get(name)?.brotli_bytes ?? Number.NaN, limit);
  }
}

/** Fails where something is over its limit, or is not there. */
function gate(what, bytes, limit) {
  if (bytes <= limit) return;
  console.error(`benches/size.mjs: ${what} weighs ${bytes} B brotli; the limit is ${limit} B`);
  process.exitCode = 1;
}

function list(folder) {
  const entries = readdirSync(join(dist, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(folder, entry.name));
}

function measure(name) {
  const bytes = readFileSync(join(dist, name));
  return {
    raw_bytes: bytes.length,
    gzip_bytes: gzipSync(bytes, { level: 9 }).length,
    brotli_bytes: brotliCompressSync(bytes, brotliOptions).length,
  };
}

/** Prints what some files come to together; returns it in bytes of brotli. */
function total(name, parts) {
  const sum = { raw_bytes: 0, gzip_bytes: 0, brotli_bytes: 0 };
  for (const part of parts) {
    const size = sizes.get(part);
    if (!size) throw new Error(`${part} is not in sdk-wasm/dist`);
    for (const unit of Object.keys(sum)) sum[unit] += size[unit];
  }
  print({ total: name, ...sum });
  return sum.brotli_bytes;
}

function print(line) {
  console.log(JSON.stringify({ bench: 'size', ...line }));
}
