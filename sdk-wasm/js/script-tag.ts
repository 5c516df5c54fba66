/** What `attune/script/attune.js` puts at `window.attune`, for the types of pages with a script tag. */

import type { Attune } from './attune.ts';
import type { InitOptions } from './options.ts';

declare global {
  interface Window {
    /** All but `init` is there once Attune has been started, by `data-write-key` or by `init`. */
    attune: Attune & { init(options?: Partial<InitOptions>): Attune };
  }
}
