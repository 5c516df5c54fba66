/** Rollup leaves addresses beside a module as they are, so the WebAssembly files are put beside what it builds. */

import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { nodeResolve } from '@rollup/plugin-node-resolve';

const { resolve } = createRequire(import.meta.url);
const besideTheBundle = {
  name: 'attune-wasm',
  writeBundle({ dir }) {
    for (const file of ['attune_first.wasm', 'attune_rest.wasm', 'filter.wasm'])
      copyFileSync(resolve(`attune/${file}`), `${dir}/${file}`);
  },
};

export default { input: 'src/main.js', output: { dir: 'dist' }, plugins: [nodeResolve(), besideTheBundle] };
