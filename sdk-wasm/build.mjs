/**
 * Builds `dist/` from the TypeScript in `js/` and the WebAssembly in `pkg/`.
 *
 * `pkg/` is expected to hold `attune_bg.wasm`, the core for pages, whole, and in two files `attune_first.wasm` and
 * `attune_rest.wasm`; `core.wasm`, for `attune/evaluator`; `trust.wasm` and `verifier.wasm`, for pages that verify; they are copied as they are. `cargo xtask build` puts them there.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const MAX_SNIPPET_BROTLI_BYTES = 700;
const home = import.meta.dirname;
const at = (...parts) => join(home, ...parts);
const dist = (...parts) => at('dist', ...parts);

const common = { bundle: true, minify: true, target: 'es2022', legalComments: 'none', logLevel: 'warning' };

const CORE_FILES = ['attune_bg.wasm', 'attune_first.wasm', 'attune_rest.wasm'];
const WASM_FILES = [...CORE_FILES, 'core.wasm', 'trust.wasm', 'verifier.wasm', 'filter.wasm'];

for (const file of WASM_FILES) {
  if (!existsSync(at('pkg', file))) fail(`pkg/${file} is missing; cargo xtask build makes it`);
}
rmSync(dist(), { recursive: true, force: true });
mkdirSync(dist('script'), { recursive: true });

for (const file of WASM_FILES) copyFileSync(at('pkg', file), dist(file));
/** Stands in the name of every file of this release, so that the first ones carry one hash in place of one for each other. */
const release = releaseHash();
const wasmFile = besideScript('attune', 'attune_first.wasm');
const restFile = besideScript('attune-rest', 'attune_rest.wasm');

await bundle('index', dist('index.js'), {
  plugins: [
    apart('capturing', './capturing.js'),
    apart('background', './background.js'),
    apart('restore', './restore.js'),
    apart('trust', './trust.js'),
    apart('filter', './filter.js'),
    apart('plain', './plain.js'),
    apart('visitor-cookie', './visitor-cookie.js'),
    apart('actions', './actions.js'),
    apart('preview', './preview.js'),
    apart('words', './words.js'),
  ],
});
await bundle('capturing', dist('capturing.js'), {});
await bundle('background', dist('background.js'), {});
await bundle('restore', dist('restore.js'), {});
await bundle('trust', dist('trust.js'), { define: trustFiles('trust.wasm', 'verifier.wasm') });
await bundle('filter', dist('filter.js'), { define: filterFile('filter.wasm') });
await bundle('plain', dist('plain.js'), { plugins: [apart('plain-policy', './plain-policy.js')] });
await bundle('plain-policy', dist('plain-policy.js'), {});
await bundle('words', dist('words.js'), {});
await bundle('visitor-cookie', dist('visitor-cookie.js'), {});
await bundle('actions', dist('actions.js'), {});
await bundle('preview', dist('preview.js'), {
  define: previewFiles('core.wasm', 'trust.wasm', 'verifier.wasm'),
});
await bundle('web-vitals', dist('web-vitals.js'), {}, webVitalsNotice());
await bundle('autocapture', dist('autocapture.js'), { plugins: [apart('web-vitals', './web-vitals.js')] });
await bundle('devtools', dist('devtools.js'), {});
await bundle('evaluator', dist('evaluator.js'), { platform: 'neutral', external: ['node:*'] });
await bundle('openfeature', dist('openfeature.js'), {});
await bundle('react', dist('react.js'), { external: ['react'] }, `'use client';\n`);
// What every page loads sooner or later stays inside: nothing is requested.
await inlined('inline', 'inline', {
  plugins: [
    apart('trust', './inline-trust.js'),
    apart('filter', './inline-filter.js'),
    apart('actions', './actions.js'),
    apart('preview', './preview.js'),
    apart('plain', './plain.js'),
    apart('visitor-cookie', './visitor-cookie.js'),
  ],
});
await inlined('trust', 'inline-trust', { define: trustFiles('trust.wasm', 'verifier.wasm') });
await inlined('filter', 'inline-filter', { define: filterFile('filter.wasm') });
const ownFiles = [besideScript('trust', 'trust.wasm'), besideScript('verifier', 'verifier.wasm')];
const trustFile = await scriptPart('trust', 'trust', { define: trustFiles(...ownFiles) });
const filterScript = await scriptPart('filter', 'filter', {
  define: filterFile(besideScript('filter', 'filter.wasm')),
});
const capturingFile = await scriptPart('capturing', 'capturing', {});
const backgroundFile = await scriptPart('background', 'background', {});
const restoreFile = await scriptPart('restore', 'restore', {});
const plainPolicyFile = await scriptPart('plain-policy', 'plain-policy', {});
const plainFile = await scriptPart('plain', 'plain', {
  plugins: [apart('plain-policy', `./${plainPolicyFile}`)],
});
const cookieFile = await scriptPart('visitor-cookie', 'visitor-cookie', {});
const actionsFile = await scriptPart('actions', 'actions', {});
const previewFile = await scriptPart('preview', 'preview', {
  define: previewFiles(besideScript('core', 'core.wasm'), ...ownFiles),
});
const webVitalsFile = await scriptPart('web-vitals', 'web-vitals', {}, webVitalsNotice());
const autocaptureFile = await scriptPart('autocapture', 'autocapture/tag', {
  plugins: [apart('web-vitals', `./${webVitalsFile}`)],
});
const tagFile = await scriptPart('tag', 'tag', {});
const scriptOptions = {
  define: {
    ATTUNE_WASM_FILE: JSON.stringify(wasmFile),
    ATTUNE_REST_FILE: JSON.stringify(restFile),
    ATTUNE_CAPTURING_FILE: JSON.stringify(capturingFile),
    ATTUNE_BACKGROUND_FILE: JSON.stringify(backgroundFile),
    ATTUNE_RESTORE_FILE: JSON.stringify(restoreFile),
    ATTUNE_TRUST_FILE: JSON.stringify(trustFile),
    ATTUNE_FILTER_FILE: JSON.stringify(filterScript),
    ATTUNE_PLAIN_FILE: JSON.stringify(plainFile),
    ATTUNE_VISITOR_COOKIE_FILE: JSON.stringify(cookieFile),
    ATTUNE_ACTIONS_FILE: JSON.stringify(actionsFile),
    ATTUNE_PREVIEW_FILE: JSON.stringify(previewFile),
    ATTUNE_AUTOCAPTURE_FILE: JSON.stringify(autocaptureFile),
    ATTUNE_TAG_FILE: JSON.stringify(tagFile),
    'import.meta.url': '""',
  },
};
await bundle('script', dist('script', 'attune.js'), { ...scriptOptions, format: 'iife' });
const behindLoader = await scriptPart('behind-loader', 'script', {
  define: { ...scriptOptions.define, ATTUNE_BEHIND_LOADER: 'true' },
  plugins: [fromLoader(sharedModules())],
});
await bundle('first-paint/loader', dist('script', 'loader.js'), {
  format: 'iife',
  define: {
    ATTUNE_WASM_FILE: JSON.stringify(wasmFile),
    ATTUNE_ACTIONS_FILE: JSON.stringify(actionsFile),
    ATTUNE_BEHIND_LOADER_FILE: JSON.stringify(behindLoader),
  },
});
// Under a name of its own as well, which a page can pin.
copyFileSync(dist('script', 'attune.js'), dist('script', `attune-${hashOf(dist('script', 'attune.js'))}.js`));
writeIntegrity();
await writeSnippet();
const compiler = [binary('typescript', 'tsc'), '-p', at('tsconfig.build.json')];
execFileSync(process.execPath, compiler, { stdio: 'inherit' });

/** A module that is loaded only where it is needed stays a file of its own. */
function apart(name, path) {
  return {
    name: `${name}-apart`,
    setup(build) {
      build.onResolve({ filter: new RegExp(`/${name}\\.ts$`) }, ({ kind }) =>
        kind === 'dynamic-import' ? { path, external: true } : undefined,
      );
    },
  };
}

/** The modules that the loader shares, by path: the names that `shared.ts` takes from them, in its order. */
function sharedModules() {
  const list = readFileSync(at('js/first-paint/shared.ts'), 'utf8');
  const imports = [...list.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)];
  const modules = new Map(imports.map(([, names, path]) => [at('js/first-paint', path), names.split(', ')]));
  const shared = /^export const shared = \[(.*)\]/ms.exec(list)?.[1].match(/\w+/g) ?? [];
  if (!shared.length || String(shared) !== String([...modules.values()].flat()))
    fail('shared.ts: what is shared is not what is imported, in that order');
  return modules;
}

/** Takes the loader's modules where it has left them. A name that it does not share fails the build. */
function fromLoader(modules) {
  const names = [...modules.values()].flat();
  const contents = `export const [${names}] = window.attune.first.shared;`;
  return {
    name: 'from-loader',
    setup(build) {
      build.onResolve({ filter: /^shared$/ }, ({ path }) => ({ path, namespace: 'loader' }));
      build.onLoad({ filter: /^shared$/, namespace: 'loader' }, () => ({ contents }));
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const taken = modules.get(path);
        return taken && { contents: `export { ${taken} } from 'shared';` };
      });
    },
  };
}

/**
 * Bundles, and minifies once more, which finds what one pass over a whole program does not. `notice` says whose work is
 * inside.
 */
async function bundle(entry, file, options, notice = '', finished = (code) => code) {
  const define = { ATTUNE_BEHIND_LOADER: 'false', ...options.define };
  const source = { entryPoints: [at('js', `${entry}.ts`)], format: 'esm', write: false };
  const { outputFiles } = await build({ ...common, ...source, ...options, define });
  const { code } = await minify(finished(outputFiles[0].text), {
    ecma: 2020,
    module: true,
    // No function of ours without a name is called by `new`, or with a `this`.
    // What is put in place of its name once, or with its constant first, is less like the rest.
    compress: { passes: 3, unsafe_arrows: true, inline: 1, lhs_constants: false },
  });
  // Bundlers find files beside a module by this form, some of them with plain quotes only.
  writeFileSync(file, notice + code.replace(/(new URL|import)\(`([^`$]*)`/g, '$1("$2"'));
}

/** Bundles a module of `attune/inline`: the same code, with its WebAssembly inside in place of the file's address. */
async function inlined(entry, name, { define, plugins = [] }) {
  const loader = {
    name: 'core-inline',
    setup(build) {
      build.onResolve({ filter: /\/core-loading\.ts$/ }, ({ importer }) =>
        importer.endsWith('core-inline.ts') ? undefined : { path: at('js', 'core-inline.ts') },
      );
    },
  };
  let files = 0;
  const inside = (code) =>
    code.replace(/new URL\("\.\/([\w.]+\.wasm)",import\.meta\.url\)\.href/g, (_, file) => {
      files += 1;
      return JSON.stringify(`data:application/wasm;base64,${readFileSync(dist(file), 'base64')}`);
    });
  await bundle(entry, dist(`${name}.js`), { define, plugins: [...plugins, loader] }, '', inside);
  if (files === 0) fail(`${name}.js: no WebAssembly has been put inside`);
}

/** Writes what the `integrity` attribute of each script is, by file. */
function writeIntegrity() {
  const scripts = readdirSync(dist('script'))
    .filter((name) => name.endsWith('.js'))
    .sort();
  const entries = scripts.map((name) => {
    const hash = createHash('sha384')
      .update(readFileSync(dist('script', name)))
      .digest('base64');
    return [name, `sha384-${hash}`];
  });
  writeFileSync(
    dist('script', 'integrity.json'),
    `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`,
  );
}

/** Copies a file into the script's folder under the name that it has in this release. */
function besideScript(name, file) {
  const named = `${name}-${release}.wasm`;
  copyFileSync(dist(file), dist('script', named));
  return named;
}

/** Bundles what the script loads by `import()`, under the name that it has in this release. */
async function scriptPart(name, entry, options, notice) {
  const named = `${name}-${release}.js`;
  await bundle(entry, dist('script', named), options, notice);
  return named;
}

function filterFile(wasm) {
  return { ATTUNE_FILTER_WASM: JSON.stringify(`./${wasm}`) };
}

/** The notice that the licence of `web-vitals` asks for; the licence itself is copied beside the module. */
function webVitalsNotice() {
  // Its manifest is not among its exports.
  const folder = join(createRequire(import.meta.url).resolve('web-vitals'), '../..');
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (license !== 'Apache-2.0') fail(`web-vitals ${version} is under ${license}, not Apache-2.0`);
  copyFileSync(join(folder, 'LICENSE'), dist('web-vitals.LICENSE'));
  return `/*! web-vitals ${version}, minified. Copyright Google LLC. Apache-2.0: https://www.apache.org/licenses/LICENSE-2.0 */\n`;
}

function trustFiles(trust, verifier) {
  return {
    ATTUNE_TRUST_WASM: JSON.stringify(`./${trust}`),
    ATTUNE_VERIFIER_WASM: JSON.stringify(`./${verifier}`),
  };
}

function previewFiles(core, ...trust) {
  return { ...trustFiles(...trust), ATTUNE_CORE_WASM: JSON.stringify(`./${core}`) };
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

/** Changes with whatever a file of the release is made of. */
function releaseHash() {
  const sources = readdirSync(at('js'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name))
    .sort();
  const made = WASM_FILES.map((file) => dist(file));
  return hashOf(import.meta.filename, at('../package-lock.json'), ...made, ...sources);
}

function hashOf(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 8);
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
