/** Bundles a module of `js/` in memory, so that `node --test` can import TypeScript. */

import { join } from 'node:path';
import { build } from 'esbuild';

const home = join(import.meta.dirname, '..');

/** Imports `js/<name>`; every call gives a module with fresh state. `glue` stands in for the WebAssembly half. */
export async function load(name, glue = 'export const Shell = undefined; export default async () => {};') {
  const { outputFiles } = await build({
    entryPoints: [join(home, 'js', name)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
    define: { 'import.meta.url': '"https://shop.example/sdk/index.js"' },
    plugins: [
      {
        name: 'glue',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^attune-wasm-glue$/ }, () => ({ path: 'glue', namespace: 'glue' }));
          onLoad({ filter: /.*/, namespace: 'glue' }, () => ({ contents: glue }));
        },
      },
    ],
  });
  loads += 1;
  const source = `${outputFiles[0].text}\n// ${loads}`;
  return import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
}

let loads = 0;
