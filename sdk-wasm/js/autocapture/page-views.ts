/** Page views: the first one, and one for each further page of the same document. */

import type { Attune } from '../attune.ts';
import type { Pages } from './pages.ts';
import type { Site } from './site.ts';

/** The address of the last page view, so that a capture that is started again does not repeat it. */
const viewed = new WeakMap<Attune, string>();

/** Tracks page views. */
export function trackPageViews({ attune }: Site, _: unknown, pages: Pages): void {
  const note = () => void viewed.set(attune, pages.address());
  const view = () => {
    note();
    attune.page();
  };
  if (viewed.get(attune) !== pages.address()) view();
  pages.onNext(view, note);
}
