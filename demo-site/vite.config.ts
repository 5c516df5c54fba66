/** How the demo shop is built: plain files under `dist/`, names with hashes, served from the root. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const typefaces = ['@fontsource/young-serif', '@fontsource-variable/familjen-grotesk'];

/** Puts the licences of the typefaces beside them. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    for (const name of typefaces) {
      const file = fileURLToPath(import.meta.resolve(`${name}/LICENSE`));
      this.emitFile({
        type: 'asset',
        fileName: `licences/${name.replace(/.*\//, '')}.txt`,
        source: readFileSync(file),
      });
    }
  },
};

export default defineConfig({
  base: '/',
  plugins: [licences],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
