/** Name of the WebAssembly file beside the script-tag bundle; filled in by the build. */
declare const ATTUNE_WASM_FILE: string;
