/**
 * Builds `dist/` from the TypeScript in `js/` and the WebAssembly in `pkg/`.
 *
 * `pkg/` is expected to hold `attune_bg.wasm`, the core for pages, `core.wasm`, for `attune/evaluator`, and `trust.wasm`
 * and `verifier.wasm`, for pages that verify; they are copied as they are. `cargo xtask build` puts them there.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { minifySync } from 'vite';

const MAX_SNIPPET_BROTLI_BYTES = 700;
const home = import.meta.dirname;
const at = (...parts) => join(home, ...parts);
const dist = (...parts) => at('dist', ...parts);

const common = { bundle: true, minify: true, target: 'es2022', legalComments: 'none', logLevel: 'warning' };

const WASM_FILES = ['attune_bg.wasm', 'core.wasm', 'trust.wasm', 'verifier.wasm', 'filter.wasm'];

for (const file of WASM_FILES) {
  if (!existsSync(at('pkg', file))) fail(`pkg/${file} is missing; cargo xtask build makes it`);
}
rmSync(dist(), { recursive: true, force: true });
mkdirSync(dist('script'), { recursive: true });

for (const file of WASM_FILES) copyFileSync(at('pkg', file), dist(file));
const wasmFile = besideScript('attune', 'attune_bg.wasm');

/** What pages load only where they name trusted keys, or have a filter policy, stays a module of its own. */
const apart = {
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: /^\.\/(trust|filter)\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: path.replace('.ts', '.js'), external: true } : undefined,
    );
  },
};
await bundle('index', dist('index.js'), { plugins: [apart] });
await bundle('trust', dist('trust.js'), { define: trustFiles('trust.wasm', 'verifier.wasm') });
await bundle('filter', dist('filter.js'), { define: filterFile('filter.wasm') });
await bundle('devtools', dist('devtools.js'), {});
await bundle('evaluator', dist('evaluator.js'), { platform: 'neutral', external: ['node:*'] });
await bundle('openfeature', dist('openfeature.js'), {});
const ownFiles = [besideScript('trust', 'trust.wasm'), besideScript('verifier', 'verifier.wasm')];
const trustFile = await scriptPart('trust', trustFiles(...ownFiles));
const filterScript = await scriptPart('filter', filterFile(besideScript('filter', 'filter.wasm')));
await bundle('script', dist('script', 'attune.js'), {
  format: 'iife',
  define: {
    ATTUNE_WASM_FILE: JSON.stringify(wasmFile),
    ATTUNE_TRUST_FILE: JSON.stringify(trustFile),
    ATTUNE_FILTER_FILE: JSON.stringify(filterScript),
    'import.meta.url': '""',
  },
});
await writeSnippet();
const compiler = [binary('typescript', 'tsc'), '-p', at('tsconfig.build.json')];
execFileSync(process.execPath, compiler, { stdio: 'inherit' });

/** Bundles, and minifies once more: constants go where they are used, and one kind of quotes compresses better. */
async function bundle(entry, file, options) {
  const source = { entryPoints: [at('js', `${entry}.ts`)], format: 'esm', write: false };
  const { outputFiles } = await build({ ...common, ...source, ...options });
  const { code, errors } = minifySync(file, outputFiles[0].text, {
    module: true,
    compress: { target: common.target },
    mangle: { toplevel: true },
  });
  if (errors.length > 0) fail(`${file}: ${errors[0].message}`);
  // Bundlers find files beside a module by this form, some of them with plain quotes only.
  writeFileSync(file, code.replace(/(new URL|import)\(`([^`$]*)`/g, '$1("$2"'));
}

/** Copies a file into the script's folder under a name that changes with its content. */
function besideScript(name, file) {
  const named = `${name}-${hashOf(dist(file))}.wasm`;
  copyFileSync(dist(file), dist('script', named));
  return named;
}

/** Bundles what the script loads by `import()`, under a name that changes with its content. */
async function scriptPart(entry, define) {
  const file = dist('script', `${entry}.js`);
  await bundle(entry, file, { define });
  const named = `${entry}-${hashOf(file)}.js`;
  renameSync(file, dist('script', named));
  return named;
}

function filterFile(wasm) {
  return { ATTUNE_FILTER_WASM: JSON.stringify(`./${wasm}`) };
}

function trustFiles(trust, verifier) {
  return {
    ATTUNE_TRUST_WASM: JSON.stringify(`./${trust}`),
    ATTUNE_VERIFIER_WASM: JSON.stringify(`./${verifier}`),
  };
}

/** Writes the inline snippet as the tag a site pastes, with its two values left to be filled in. */
async function writeSnippet() {
  const define = { ATTUNE_SCRIPT_URL: '"{{script}}"', ATTUNE_WRITE_KEY: '"{{write_key}}"' };
  const options = { ...common, entryPoints: [at('js', 'snippet.ts')], format: 'iife', write: false, define };
  const { outputFiles } = await build(options);
  const text = `<script>${outputFiles[0].text.trim()}</script>\n`;
  const bytes = brotliCompressSync(text).length;
  if (bytes > MAX_SNIPPET_BROTLI_BYTES) {
    fail(`the inline snippet is ${bytes} B brotli; the limit is ${MAX_SNIPPET_BROTLI_BYTES} B`);
  }
  writeFileSync(dist('script', 'snippet.html'), text);
}

function hashOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
}

/** The file behind a package's command, so that no shell and no PATH is needed. */
function binary(name, command) {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(manifest, '..', bin[command]);
}

function fail(message) {
  console.error(`sdk-wasm/build.mjs: ${message}`);
  process.exit(1);
}
