/** The module that wasm-bindgen writes to `pkg/`; the build resolves its name. */
declare module 'attune-wasm-glue' {
  import type { Shell as Exports, Host } from './shell.ts';
  export const Shell: { new (host: Host, writeKey: string, collector: string, sessionId: string): Exports };
  export default function initialise(options: { module_or_path: string | URL | Response }): Promise<unknown>;
}

/** Name of the WebAssembly file beside the bundle; filled in by the build. */
declare const ATTUNE_WASM_FILE: string;
