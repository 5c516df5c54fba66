/** The real analytics-next in Chromium against a real collector, on a page of another origin. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../e2e/rig/collector.mjs';
import { eventually } from '../e2e/rig/eventually.mjs';
import { RULES } from './rig/rules.mjs';
import { openSite } from './rig/site.mjs';

const SOURCE = `
  import { AnalyticsBrowser } from '@segment/analytics-next';
  window.start = (writeKey, cdnURL, strategy) => {
    const integrations = strategy ? { 'Segment.io': { deliveryStrategy: { strategy } } } : {};
    window.analytics = AnalyticsBrowser.load({ writeKey, cdnURL }, { integrations });
  };
`;

let browser;
let site;

before(async () => {
  site = await openSite(SOURCE, import.meta.dirname);
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

for (const strategy of [undefined, 'batching']) {
  test(`a page that loads analytics-next from here delivers ${strategy ? 'in batches' : 'each call'}`, async () => {
    const collector = await Collector.start(RULES);
    const context = await browser.newContext({ timezoneId: 'Asia/Tokyo', locale: 'ja-JP' });
    try {
      const page = await context.newPage();
      const asked = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(`${site.url}/shoes?utm_source=news&utm_campaign=spring`);
      await page.evaluate(
        ([key, url, strategy]) => window.start(key, url, strategy),
        [WRITE_KEY, collector.url, strategy],
      );
      await page.evaluate(async () => {
        const { analytics } = window;
        await analytics.page();
        await analytics.identify('user_1', { plan: 'gold' });
        await analytics.group('acme', { size: 7 });
        await analytics.track('Order Completed', { total: 9.5 });
        await Promise.all(Array.from({ length: 20 }, (_, visit) => analytics.track('Visited', { visit })));
      });
      const { signals, duplicates } = await eventually(
        () => collector.summary(),
        ({ events }) => events === 24,
      );
      assert.deepEqual([signals.visits, signals.orders, signals.pages, signals.groups], [20, 1, 1, 1]);
      assert.deepEqual([signals.spent, duplicates], [9.5, 0]);
      const user = await collector.user('user_1');
      assert.deepEqual([user.members.length, user.traits, user.events], [1, { plan: 'gold' }, 24]);
      const view = collector
        .dump()
        .map(JSON.parse)
        .find(({ event_type }) => event_type === 'page_view');
      const { path, title, campaign } = view.metadata;
      assert.deepEqual([path, title, campaign], ['/shoes', 'Shoes', { source: 'news', name: 'spring' }]);
      const hosts = new Set(asked.map((url) => new URL(url).origin));
      assert.deepEqual([...hosts].sort(), [site.url, collector.url].sort(), 'nobody else is asked');
    } finally {
      await context.close();
      await collector.remove();
    }
  });
}
