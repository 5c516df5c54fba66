/** A site with a collector of its own, and what the cases do on its pages. */

import assert from 'node:assert/strict';
import { Collector, WRITE_KEY } from '../../rig/collector.mjs';
import { eventually } from '../../rig/eventually.mjs';
import { thirdViewRules } from '../../rig/rules.mjs';
import { packagePage, serveSite } from '../../rig/site.mjs';

/** The page that most cases open, and one without Attune. */
export function plainPages(collectorUrl) {
  return {
    '/': packagePage(collectorUrl, WRITE_KEY),
    '/other': '<!doctype html><title>Other</title>',
  };
}

/**
 * Runs a case: `pages` makes the site's pages of the collector's address. Ports are new for every case, so the origin is,
 * and with it the visitor. `sdkMs` is how long its script takes; `flags` are the collector's.
 */
export async function visit(options, body) {
  const { browser, rules = thirdViewRules(), pages = plainPages, sdkMs = 0, flags = [] } = options;
  const collector = await Collector.startWith(rules, flags);
  const site = await serveSite(pages(collector.url), {}, sdkMs);
  const open = async (path = '/') => {
    const page = await browser.open(site.url + path);
    await ready(page);
    return page;
  };
  try {
    await body({ collector, site, open });
  } finally {
    await site.close();
    await collector.remove();
    await browser?.closePages();
  }
}

/** Waits until Attune is ready on a page. */
export async function ready(page) {
  await page.until('yes', () => document.documentElement.dataset.ready);
}

/** Tracks views of a category in one task. */
export async function view(page, category, count = 1) {
  await page.run(
    (category, count) => {
      for (let call = 0; call < count; call += 1) window.attune.track('product_view', { category });
    },
    category,
    count,
  );
}

/** Waits until the headline reads as it should. */
export async function headline(page, expected) {
  await page.until(expected, () => document.querySelector('#headline')?.textContent);
}

/** Tells the page that the collector may be there again, so that no pause has to end first. */
export async function goOnline(page) {
  await page.run(() => window.dispatchEvent(new Event('online')));
}

/** Waits until the collector has counted so many events, and is sure that no more follow. */
export async function arrive(collector, events) {
  const enough = (summary) => summary.events >= events;
  await eventually(() => collector.summary(), enough);
  // A repeat would come with the next request.
  await new Promise((done) => setTimeout(done, 300));
  const { events: taken, signals } = await collector.summary();
  assert.deepEqual([taken, signals.category_views], [events, events]);
}

/** What `onError` has heard on a page. */
export async function errorsOf(page) {
  return await page.run(() => window.attuneErrors);
}
