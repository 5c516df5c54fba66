/** Names of the two WebAssembly files of the core beside the script-tag bundle; filled in by the build. */
declare const ATTUNE_WASM_FILE: string;
declare const ATTUNE_REST_FILE: string;
/** Name of the script-tag bundle without what the loader has; filled in by the build. */
declare const ATTUNE_BEHIND_LOADER_FILE: string;
/** Names of the modules beside the script-tag bundle that take back what is stored, capture, and run behind the first decision; filled in by the build. */
declare const ATTUNE_RESTORE_FILE: string;
declare const ATTUNE_CAPTURING_FILE: string;
declare const ATTUNE_BACKGROUND_FILE: string;
/** Name of the module beside the script-tag bundle that verifies bundles; filled in by the build. */
declare const ATTUNE_TRUST_FILE: string;
/** Name of the module beside the script-tag bundle that makes the changes that few bundles have; filled in by the build. */
declare const ATTUNE_ACTIONS_FILE: string;
/** Name of the module beside the script-tag bundle that shows previews, and of the core that it loads. */
declare const ATTUNE_PREVIEW_FILE: string;
declare const ATTUNE_CORE_WASM: string;
/** Name of the module beside the script-tag bundle that tracks by itself; filled in by the build. */
declare const ATTUNE_AUTOCAPTURE_FILE: string;
/** Name of the module beside the script-tag bundle that tells of mistakes at the tag; filled in by the build. */
declare const ATTUNE_TAG_FILE: string;
/** Names of the WebAssembly files beside that module, for browsers with WebCrypto's Ed25519 and for those without. */
declare const ATTUNE_TRUST_WASM: string;
declare const ATTUNE_VERIFIER_WASM: string;
/** Name of the module beside the script-tag bundle that judges events; filled in by the build. */
declare const ATTUNE_FILTER_FILE: string;
declare const ATTUNE_PLAIN_FILE: string;
/** Name of the module beside the script-tag bundle that makes one visitor of the hosts of a domain; filled in by the build. */
declare const ATTUNE_VISITOR_COOKIE_FILE: string;
/** Name of the WebAssembly file beside that module. */
declare const ATTUNE_FILTER_WASM: string;
/** Whether the script is the one that the loader loads. */
declare const ATTUNE_BEHIND_LOADER: boolean;
