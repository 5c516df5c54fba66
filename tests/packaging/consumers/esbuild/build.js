/** esbuild leaves addresses beside a module as they are, so the WebAssembly files are put beside what it builds. */

import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

await build({
  entryPoints: ['src/main.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true,
  outdir: 'dist',
});
const { resolve } = createRequire(import.meta.url);
for (const file of ['attune_first.wasm', 'attune_rest.wasm', 'filter.wasm']) {
  copyFileSync(resolve(`attune/${file}`), `dist/${file}`);
}
