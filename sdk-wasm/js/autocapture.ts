/**
 * The npm entry `attune/autocapture`: tracks what visitors do on a page without a call for each.
 *
 * ```ts
 * import { init } from 'attune';
 * import { autocapture } from 'attune/autocapture';
 *
 * const attune = init({ writeKey: 'demo', collector: 'https://attune.example' });
 * const end = autocapture(attune, { webVitals: true, scroll: false });
 * ```
 */

export type {
  AutocaptureOptions,
  ClickOptions,
  DownloadOptions,
  PageViewOptions,
} from './autocapture/options.ts';
export { autocapture } from './autocapture/start.ts';
