/** Pages of the extension take modules; content scripts have to be one file each. */

import { build } from 'esbuild';

const both = { bundle: true, minify: true, outdir: 'dist' };
await build({ ...both, entryPoints: ['src/panel.js'], format: 'esm', splitting: true });
await build({ ...both, entryPoints: ['src/content.js'], format: 'iife' });
