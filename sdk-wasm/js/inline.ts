/** The npm entry `attune/inline`: the same as `attune`, with its WebAssembly inside the script, whole. */

import type { Attune } from './attune.ts';
import { initWith } from './init.ts';
import type { InitOptions } from './options.ts';

export { AttuneError } from './errors.ts';

/** As `init` of `attune`. */
export const init: (options: InitOptions) => Attune = initWith({
  defaultWasmUrl: new URL('./attune_bg.wasm', import.meta.url).href,
  loadCapturing: () => import('./capturing.ts'),
  loadBackground: () => import('./background.ts'),
  loadRestore: () => import('./restore.ts'),
  loadTrust: () => import('./trust.ts'),
  loadFilter: () => import('./filter.ts'),
  loadVisitorCookie: () => import('./visitor-cookie.ts'),
  loadPlain: () => import('./plain.ts'),
  loadWords: () => import('./words.ts'),
  loadActions: () => import('./actions.ts'),
  loadPreview: () => import('./preview.ts'),
});
