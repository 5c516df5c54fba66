/** The npm entry `attune`. */

import type { Attune } from './attune.ts';
import { initWith } from './init.ts';
import type { InitOptions } from './options.ts';

export type { Attune, Priority } from './attune.ts';
export type { Consent, ConsentState } from './consent.ts';
export type { DeviceClass, Json, JsonObject } from './context.ts';
export type { Decision } from './decision.ts';
export type { AttuneErrorKind } from './errors.ts';
export { AttuneError } from './errors.ts';
export type { FilterPolicy, PropertyPolicy, RedactedKind, TypePolicy } from './filter-policy.ts';
export type { InitOptions, OutgoingEvent } from './options.ts';

/**
 * Starts Attune on this page, or returns the instance that runs already. Events are taken from now on;
 * the WebAssembly half loads off the critical path.
 *
 * @throws {AttuneError} `option_invalid`, `option_missing`, `option_unknown`, `already_initialised` or
 * `environment_unsupported`.
 */
export const init: (options: InitOptions) => Attune = initWith({
  defaultWasmUrl: new URL('./attune_first.wasm', import.meta.url).href,
  restWasmUrl: new URL('./attune_rest.wasm', import.meta.url).href,
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
