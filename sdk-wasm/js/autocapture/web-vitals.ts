/** Web Vitals, measured by a library that is loaded only for this. */

import type { Vital } from '../web-vitals.ts';
import type { Site } from './site.ts';

/** Tracks each metric when it is final, and again where the page goes on; the last one of an `id` counts. */
export function trackWebVitals(site: Site): void {
  // They are the page load's, whatever is shown when they are known.
  const path = location.pathname;
  const known = site.guard(({ name, value, rating, id }: Vital) => {
    site.track('web_vital', { name, value: Number(value.toFixed(3)), rating, id, path }, 'low');
  });
  import('../web-vitals.ts').then(({ observe }) => observe(known), site.failed);
}
