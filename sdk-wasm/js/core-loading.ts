/** Loads the WebAssembly half once, off the critical path, and tries again where the network fails. */

import type { CoreExports } from './core/core.ts';
import { AttuneError } from './errors.ts';

/** First pause before another try, of which there are three; each is four times as long as the one before. */
const RETRY_MS = 1_000;
const MAX_RETRIES = 3;

/** The shortest module there is. */
const EMPTY_MODULE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Whether the browser, or the page's policy, lets no WebAssembly run. */
export function isRefused(): boolean {
  try {
    new WebAssembly.Module(Uint8Array.from(EMPTY_MODULE));
    return false;
  } catch {
    return true;
  }
}

/**
 * Fetches and compiles the core, or the rest of it, which goes on from the `first` file. `answered` is called when the
 * answer begins. Fails with `wasm_unavailable`.
 */
export async function loadCore(
  url: string,
  first?: Promise<CoreExports>,
  answered?: () => void,
): Promise<CoreExports> {
  for (let attempt = 0; ; attempt += 1) {
    let isFinal = false;
    try {
      const response = await fetch(url);
      const { status } = response;
      isFinal = status >= 400 && status < 500;
      if (!response.ok) throw new Error(`status ${status}`);
      answered?.();
      return await instantiate(response, await first);
    } catch (cause) {
      // Whatever stands there instead, such as the start page of an application.
      isFinal ||= cause instanceof WebAssembly.CompileError;
      // What it would complete has not come.
      if (cause instanceof AttuneError) throw cause;
      if (isFinal || attempt === MAX_RETRIES) {
        // A file that is not there is the site's to bring.
        const kind = isFinal ? 'usage' : 'environment';
        throw new AttuneError('wasm_unavailable', `${url} did not load: ${cause}`, kind, cause);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 4 ** attempt * (1 + Math.random())));
    }
  }
}

/** Browsers compile while they load, but only what is sent as WebAssembly. */
async function instantiate(response: Response, first?: CoreExports): Promise<CoreExports> {
  // The rest imports functions of the first file by their place in its table: a name for each would weigh more.
  const named = (exports: object, name: string | symbol) =>
    (exports as Record<string | symbol, unknown>)[name] ?? first?.table?.get(name as unknown as number);
  const imports = { f: new Proxy(first ?? {}, { get: named }) } as WebAssembly.Imports;
  const canStream = response.headers.get('content-type') === 'application/wasm';
  const { instance } = canStream
    ? await WebAssembly.instantiateStreaming(response, imports)
    : await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  return instance.exports as unknown as CoreExports;
}
