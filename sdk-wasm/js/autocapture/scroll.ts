/** How far down pages are scrolled. */

import type { Pages } from './pages.ts';
import type { Site } from './site.ts';

const STEP_PERCENT = 25;
/** Zoomed pages end at a fraction of a pixel. */
const TOLERANCE_PX = 2;

/** Tracks each quarter of a page's height that has been in view, once a page view and from the first scrolling on. */
export function trackScroll(site: Site, _: unknown, pages: Pages): void {
  let reached = 0;
  let isDue = false;
  const measure = site.guard(() => {
    isDue = false;
    // Routers scroll to the top of the next page.
    if (scrollY <= 0) return;
    const seen = ((scrollY + innerHeight + TOLERANCE_PX) / document.documentElement.scrollHeight) * 100;
    while (reached < 100 && seen >= reached + STEP_PERCENT) {
      reached += STEP_PERCENT;
      site.track('scroll', { percent_scrolled: reached }, 'low');
    }
  });
  pages.onNext(() => {
    reached = 0;
  });
  site.on(window, 'scroll', () => {
    if (!isDue) requestAnimationFrame(measure);
    isDue = true;
  });
}
