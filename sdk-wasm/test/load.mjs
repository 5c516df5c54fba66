/** Bundles a module of `js/` in memory, so that `node --test` can import TypeScript. */

import { join } from 'node:path';
import { build } from 'esbuild';

const home = join(import.meta.dirname, '..');
/** Texts of modules, by name: they stay the same while the tests run. */
const texts = new Map();
let loads = 0;

/** Imports `js/<name>`; every call gives a module with fresh state. */
export async function load(name) {
  if (!texts.has(name)) texts.set(name, bundled(name));
  const text = await texts.get(name);
  loads += 1;
  const source = `${text}\n// ${loads}`;
  return import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
}

async function bundled(name) {
  const { outputFiles } = await build({
    entryPoints: [join(home, 'js', name)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
    define: {
      'import.meta.url': '"https://shop.example/sdk/index.js"',
      ATTUNE_TRUST_WASM: '"./trust.wasm"',
      ATTUNE_VERIFIER_WASM: '"./verifier.wasm"',
      ATTUNE_FILTER_WASM: '"./filter.wasm"',
    },
  });
  return outputFiles[0].text;
}
