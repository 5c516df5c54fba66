/**
 * Prints raw, gzip and brotli bytes of every file a page may load, of what it loads before its first decision, and of
 * other SDKs for the same job, with a table of these on stderr.
 * With `--gate` it looks at no others, and fails where the first decision, or what is loaded later, is over the limit
 * that tests hold.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sum, weigh } from './size/weigh.mjs';

/**
 * What a page loads before its first decision, each with its limit in bytes: more is a failed test. docs/decisions/0025
 * and 0026 say why, and how a limit may change.
 */
const MAX_FIRST_BROTLI_BYTES = {
  'loader, scripts': 19.75 * 1024,
  'loader, before first decision': 36 * 1024,
  'script tag, scripts': 17.5 * 1024,
  'script tag, before first decision': 34 * 1024,
  'npm package, before capture': 16.25 * 1024,
  'npm package, before first decision': 33 * 1024,
  'npm package, first visit': 84.75 * 1024,
};
/** What comes behind that, and what only pages that ask for it load, each with its limit, in bytes. */
const MAX_LAZY_BROTLI_BYTES = {
  'capturing.js': 2.5 * 1024,
  'background.js': 6.25 * 1024,
  'restore.js': 2 * 1024,
  'attune_rest.wasm': 43.25 * 1024,
  'trust.js': 3.5 * 1024,
  'trust.wasm': 10 * 1024,
  'verifier.wasm': 21 * 1024,
  'actions.js': 2 * 1024,
  'preview.js': 11 * 1024,
  'filter.js': 3.5 * 1024,
  'filter.wasm': 12 * 1024,
  'visitor-cookie.js': 1.5 * 1024,
  'plain.js': 6.25 * 1024,
  'plain-policy.js': 2.75 * 1024,
  'script/loader.js': 5.25 * 1024,
  'autocapture.js': 3 * 1024,
  'web-vitals.js': 3.5 * 1024,
  'react.js': 1.25 * 1024,
  'words.js': 1.25 * 1024,
};

const { values: options } = parseArgs({ options: { gate: { type: 'boolean', default: false } } });
const dist = join(import.meta.dirname, '../sdk-wasm/dist');

const files = [...list(''), ...list('script')].filter((name) => /\.(js|wasm|html)$/.test(name));
const sizes = new Map(files.map((name) => [name, weigh(readFileSync(join(dist, name)))]));
for (const [artefact, size] of sizes) print({ artefact, ...size });

const scriptWasm = hashed('attune', 'wasm');
const behindLoader = hashed('behind-loader', 'js');
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
const behindTag = [hashed('capturing', 'js'), hashed('background', 'js'), hashed('attune-rest', 'wasm')];
first['npm package, first visit'] = [...first['npm package, before first decision'], ...behind];
first['script tag, first visit'] = [...first['script tag, before first decision'], ...behindTag];
const weights = new Map(Object.entries(first).map(([name, parts]) => [name, total(name, parts)]));
total('npm package, before first decision, more where earlier pages have left events', ['restore.js']);
total('npm package, behind first decision', behind);
// Experiments, caps, groups, traits and networks, and whoever has tracked an event before, wait for the rest (0025).
const whole = ['capturing.js', 'attune_rest.wasm'];
total('npm package, before a decision that needs the whole core', [
  ...first['npm package, before first decision'],
  ...whole,
]);
total('npm package, before capture with a filter, more', ['filter.js', 'filter.wasm']);
total('npm package, by trusted keys, more', ['trust.js', 'trust.wasm']);
total('npm package, by trusted keys, more without WebCrypto', ['trust.js', 'verifier.wasm']);
if (options.gate) {
  for (const [name, limit] of Object.entries(MAX_FIRST_BROTLI_BYTES)) {
    gate(name, weights.get(name) ?? Number.NaN, limit);
  }
  for (const [name, limit] of Object.entries(MAX_LAZY_BROTLI_BYTES)) {
    gate(name, sizes.get(name)?.brotli_bytes ?? Number.NaN, limit);
  }
} else {
  await printPeers();
}

/** Prints what others weigh for the same job. Only then is what bundles them loaded. */
async function printPeers() {
  const { missing, peerLines } = await import('./size/loads.mjs');
  const { tableOf } = await import('./size/table.mjs');
  const names = missing().join(', ');
  if (names) {
    console.error(
      `benches/size.mjs: not installed: ${names}; \`npm ci\` installs what Attune is compared with`,
    );
    process.exitCode = 1;
    return;
  }
  const lines = await peerLines();
  for (const line of lines) print(line);
  const forms = [ours('npm', 'npm package', 'before capture'), ours('script tag', 'script tag', 'scripts')];
  console.error(tableOf(forms, lines));
}

/** What a page loads of Attune in one of its forms. */
function ours(form, name, capture) {
  const { version } = JSON.parse(readFileSync(join(dist, '../package.json'), 'utf8'));
  const [captured, decision, visit] = [capture, 'before first decision', 'first visit'].map((until) =>
    weights.get(`${name}, ${until}`),
  );
  return { form, version, capture: captured, decision, visit };
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

/** The file of the script tag whose name ends with a hash. */
function hashed(name, ending) {
  return files.find((file) => new RegExp(`^script/${name}-\\w+\\.${ending}$`).test(file));
}

/** Prints what some files come to together; returns it in bytes of brotli. */
function total(name, parts) {
  const all = sum(parts.map(weightOf));
  print({ total: name, ...all });
  return all.brotli_bytes;
}

function weightOf(part) {
  const weight = sizes.get(part);
  if (!weight) throw new Error(`${part} is not in sdk-wasm/dist`);
  return weight;
}

function print(line) {
  console.log(JSON.stringify({ bench: 'size', ...line }));
}
