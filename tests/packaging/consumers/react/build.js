/** Builds the page as development does, where React says what it finds wrong, and the server, whose packages Node imports. */

import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

const both = { bundle: true, format: 'esm', jsx: 'automatic', outdir: 'dist' };
await build({
  ...both,
  entryPoints: ['src/client.tsx'],
  splitting: true,
  define: { 'process.env.NODE_ENV': '"development"' },
});
await build({ ...both, entryPoints: ['src/server.tsx'], platform: 'node', packages: 'external' });
const { resolve } = createRequire(import.meta.url);
for (const file of ['attune_first.wasm', 'attune_rest.wasm'])
  copyFileSync(resolve(`attune/${file}`), `dist/${file}`);
