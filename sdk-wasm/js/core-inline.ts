/** In `attune/inline`, in place of `core-loading.ts`: takes the WebAssembly out of the script itself, without a request. */

import type { CoreExports } from './core/core.ts';
import { loadCore as fetchCore } from './core-loading.ts';
import { AttuneError } from './errors.ts';

export { isRefused } from './core-loading.ts';

/** Decodes and compiles the core of a `data:` address. Fails with `wasm_unavailable`. */
export async function loadCore(
  url: string,
  ...more: [first?: Promise<CoreExports>, answered?: () => void]
): Promise<CoreExports> {
  // Any other address is one that the site has named.
  if (!url.startsWith('data:')) return fetchCore(url, ...more);
  try {
    const text = atob(url.slice(url.indexOf(',') + 1));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes);
    return instance.exports as unknown as CoreExports;
  } catch (cause) {
    const message = `the WebAssembly inside the script did not start: ${cause}`;
    throw new AttuneError('wasm_unavailable', message, 'environment', cause);
  }
}
