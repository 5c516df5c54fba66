/** Nothing that is about Attune: Vite finds its files by itself. */

import { defineConfig } from 'vite';

export default defineConfig({ logLevel: 'warn' });
