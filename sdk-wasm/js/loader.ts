/** Loads the WebAssembly half once, off the critical path, and tries again where the network fails. */

import initialise, { Shell as Exports } from 'attune-wasm-glue';
import { AttuneError } from './errors.ts';
import type { Settings } from './options.ts';
import type { Host, Shell } from './shell.ts';

const RETRY_DELAYS_MS = [1_000, 4_000, 16_000];

/** Fetches, compiles and starts the shell. Fails with `wasm_unavailable`. */
export async function loadShell(
  url: string,
  host: Host,
  { writeKey, collector }: Settings,
  session: () => string,
): Promise<Shell> {
  for (let attempt = 0; ; attempt += 1) {
    let isFinal = false;
    try {
      const response = await fetch(url);
      isFinal = response.status >= 400 && response.status < 500;
      if (!response.ok) throw new Error(`status ${response.status}`);
      await initialise({ module_or_path: response });
      return new Exports(host, writeKey, collector, session());
    } catch (cause) {
      const delay = RETRY_DELAYS_MS[attempt];
      if (isFinal || delay === undefined || cause instanceof WebAssembly.CompileError) {
        throw new AttuneError(
          'wasm_unavailable',
          `${url} did not load: ${String(cause)}`,
          'environment',
          cause,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, delay * (1 + Math.random())));
    }
  }
}
