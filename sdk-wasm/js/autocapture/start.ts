/** `autocapture`: starts the listeners that the options ask for, and ends them together. */

import type { Attune } from '../attune.ts';
import { devtoolsPort } from '../devtools-port.ts';
import { isObject } from '../json.ts';
import { trackClicks } from './clicks.ts';
import { trackDownloads } from './downloads.ts';
import { trackErrors } from './errors.ts';
import { trackForms } from './forms.ts';
import type { AutocaptureOptions, Details, Kind, PageViewOptions } from './options.ts';
import { trackOutboundLinks } from './outbound-links.ts';
import { trackPageViews } from './page-views.ts';
import { openPages, type Pages } from './pages.ts';
import { trackRageClicks } from './rage-clicks.ts';
import { trackScroll } from './scroll.ts';
import { openSite, type Site } from './site.ts';
import { trackWebVitals } from './web-vitals.ts';

type Start<Name extends Kind> = (site: Site, details: Details<Name>, pages: Pages) => void;

/** Each kind with whether it is tracked where the options do not say. */
const STARTS: { [Name in Kind]-?: [start: Start<Name>, isDefault: boolean] } = {
  pageViews: [trackPageViews, true],
  clicks: [trackClicks, true],
  forms: [trackForms, true],
  scroll: [trackScroll, true],
  rageClicks: [trackRageClicks, true],
  outboundLinks: [trackOutboundLinks, true],
  downloads: [trackDownloads, true],
  errors: [trackErrors, false],
  webVitals: [trackWebVitals, false],
};

/** Every kind, in the order in which they are started. */
export const KINDS = Object.keys(STARTS) as Kind[];

const OPTIONS_INVALID = 'autocapture: options must be an object; the defaults are taken';

/** What ends the capture of an instance. */
const running = new WeakMap<Attune, () => void>();

/** Whether an instance's capture has been started; one that is ended counts. */
export function isRunning(attune: Attune): boolean {
  return running.has(attune);
}

/**
 * Tracks what visitors do until the function that it returns is called. A further call for the same instance takes the
 * place of the one before it. Nothing of it throws: `onError` hears `option_invalid`, `option_unknown` and `autocapture_failed`.
 */
export function autocapture(attune: Attune, given: AutocaptureOptions = {}): () => void {
  const options: AutocaptureOptions = isObject(given) ? given : {};
  if (options !== given) attune[devtoolsPort].report('option_invalid', OPTIONS_INVALID, 'usage');
  const ended = new AbortController();
  const site = openSite(attune, ended.signal);
  const pages = openPages(site, (options.pageViews as PageViewOptions | undefined)?.hash === true);
  const end = () => ended.abort();
  running.get(attune)?.();
  running.set(attune, end);
  for (const name of Object.keys(options)) {
    if (KINDS.includes(name as Kind)) continue;
    const message = `autocapture: unknown option "${name}"; known are ${KINDS.join(', ')}`;
    attune[devtoolsPort].report('option_unknown', message, 'usage');
  }
  for (const name of KINDS) {
    const [start, isDefault] = STARTS[name] as [Start<Kind>, boolean];
    const option = options[name] ?? isDefault;
    // Of `true` every detail is undefined.
    if (option) site.guard(start)(site, option as Details<Kind>, pages);
  }
  return end;
}
