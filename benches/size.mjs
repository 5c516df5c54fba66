/**
 * Prints raw, gzip and brotli bytes of every file a page may load, and of what it loads before its first decision.
 * With `--gate` it fails where the latter, or what is loaded later, is over the limit that tests hold.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** A page that loads more than this is a failed test, in bytes; docs/decisions/0014, 0022 and 0024 say why, and how it may change. */
const MAX_PAGE_BROTLI_BYTES = 74.25 * 1024;
/** What only pages that ask for it load, each with its limit, in bytes. */
const MAX_LAZY_BROTLI_BYTES = {
  'trust.js': 4 * 1024,
  'trust.wasm': 10 * 1024,
  'verifier.wasm': 21 * 1024,
  'actions.js': 2 * 1024,
  'preview.js': 11 * 1024,
  'filter.js': 3.25 * 1024,
  'filter.wasm': 12 * 1024,
  'plain.js': 4 * 1024,
  'script/loader.js': 5 * 1024,
  'autocapture.js': 3 * 1024,
  'web-vitals.js': 3.5 * 1024,
  'react.js': 1.25 * 1024,
};

const dist = join(import.meta.dirname, '../sdk-wasm/dist');
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

const files = [...list(''), ...list('script')].filter((name) => /\.(js|wasm|html)$/.test(name));
const sizes = new Map(files.map((name) => [name, measure(name)]));
for (const [artefact, size] of sizes) print({ artefact, ...size });

const scriptWasm = files.find((name) => /^script\/attune-\w+\.wasm$/.test(name));
total('script tag, before capture', ['script/snippet.html']);
const whole = [
  total('loader, before first decision', ['script/loader.js', 'script/attune.js', scriptWasm]),
  total('script tag, before first decision', ['script/snippet.html', 'script/attune.js', scriptWasm]),
  total('npm package, before first decision', ['index.js', 'attune_bg.wasm']),
];
total('npm package, before capture', ['index.js']);
total('npm package, by trusted keys, more', ['trust.js', 'trust.wasm']);
total('npm package, by trusted keys, more without WebCrypto', ['trust.js', 'verifier.wasm']);
if (process.argv.includes('--gate')) {
  gate('what a page loads', Math.max(...whole), MAX_PAGE_BROTLI_BYTES);
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
