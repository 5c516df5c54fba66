/** What a visitor sees: a page that adapts at once, and stays as it is over reloads, tabs and browsers. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { consentRules, fanRules, patternRules, thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Runs `body` with a collector of these rules and a site that uses it, both removed afterwards. */
async function withSite(rules, body) {
  const collector = await Collector.start(rules);
  const site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
  try {
    await body(collector, site.url);
  } finally {
    await site.close();
    await collector.remove();
  }
}

describe('a page with Attune', () => {
  let browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());

  /** A context of its own, which is a visitor of its own. */
  async function visitor(body) {
    const context = await browser.newContext();
    try {
      await body(context);
    } finally {
      await context.close();
    }
  }

  it('changes at the third view and stays changed after a reload', () =>
    withSite(thirdViewRules(), (_, url) =>
      visitor(async (context) => {
        const page = await openPage(context, url);
        await view(page, 'lamps', 2);
        await view(page, 'chairs');
        assert.equal(await page.textContent('#headline'), 'Welcome');
        await view(page, 'lamps');
        await headline(page, 'Picked for you');
        await page.reload();
        await headline(page, 'Picked for you');
      }),
    ));

  it('loses nothing while the collector is down', () =>
    withSite(thirdViewRules(), (collector, url) =>
      visitor(async (context) => {
        const page = await openPage(context, url);
        await view(page, 'lamps', 5);
        await page.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 5);
        await collector.stop();
        await view(page, 'lamps', 7);
        await page.reload();
        await view(page, 'lamps', 4);
        await collector.start();
        await page.evaluate(() => window.dispatchEvent(new Event('online')));
        const delivered = await eventually(
          () => collector.summary(),
          (summary) => summary.events >= 16,
        );
        assert.equal(delivered.events, 16);
        assert.equal(delivered.signals.category_views, 16);
      }),
    ));

  it('goes on deciding when it is loaded while the collector is away', () =>
    withSite(thirdViewRules(), (collector, url) =>
      visitor(async (context) => {
        const page = await openPage(context, url);
        await view(page, 'lamps', 3);
        await headline(page, 'Picked for you');
        await page.waitForTimeout(100);
        await collector.stop();
        await page.reload();
        await headline(page, 'Picked for you');
        await view(page, 'hats', 2);
        assert.equal(await page.evaluate(() => window.attune.signal('category_views', 'hats')), 2);
        // Rules that have changed meanwhile take the place of those that were stored.
        collector.writeRules(thirdViewRules('Newer text'));
        await collector.start();
        await page.reload();
        await headline(page, 'Newer text');
      }),
    ));

  it('keeps two tabs of one visitor in step', () =>
    withSite(thirdViewRules(), (_, url) =>
      visitor(async (context) => {
        const [first, second] = [await openPage(context, url), await openPage(context, url)];
        await view(first, 'lamps', 2);
        await view(second, 'lamps');
        await headline(second, 'Picked for you');
        await headline(first, 'Picked for you');
        for (const page of [first, second]) {
          await page.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 3);
        }
      }),
    ));

  it('follows an edited rule file without a reload, and ignores a broken one', () =>
    withSite(thirdViewRules('First text'), (collector, url) =>
      visitor(async (context) => {
        const page = await openPage(context, url);
        await view(page, 'lamps', 3);
        await headline(page, 'First text');
        collector.writeRules({ rules: [{ id: 'broken' }] });
        await page.waitForTimeout(1_000);
        assert.equal(await page.textContent('#headline'), 'First text');
        collector.writeRules(thirdViewRules('Second text'));
        await headline(page, 'Second text');
      }),
    ));

  it('shares the profile of a user between two browsers', () =>
    withSite(fanRules(), (_, url) =>
      visitor((desktop) =>
        visitor(async (phone) => {
          const first = await openPage(desktop, url);
          await first.evaluate(() => window.attune.identify('user-1', { plan: 'gold' }));
          await view(first, 'lamps', 2);
          const second = await openPage(phone, url);
          await second.evaluate(() => window.attune.identify('user-1'));
          await view(second, 'lamps');
          await headline(second, 'For friends of lamps');
          await headline(first, 'For friends of lamps');
        }),
      ),
    ));

  it('shows what the visitor has agreed to, and takes back what is taken back', async () => {
    const collector = await Collector.start(consentRules());
    const options = { consent: { personalization: 'unknown' } };
    const site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY, options) });
    await visitor(async (context) => {
      const page = await openPage(context, site.url);
      await headline(page, 'For everybody');
      await page.evaluate(() => window.attune.consent({ personalization: 'granted' }));
      await headline(page, 'For you');
      await page.evaluate(() => window.attune.consent({ personalization: 'denied', functional: 'denied' }));
      await headline(page, 'Welcome');
      await page.evaluate(() => window.attune.consent({ functional: 'granted' }));
      await headline(page, 'For everybody');
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    });
    await site.close();
    await collector.remove();
  });

  it('matches patterns by its browser as the collector does by its own engine', () =>
    withSite(patternRules(), (collector, url) =>
      visitor(async (context) => {
        const page = await openPage(context, url);
        const search = (words) => page.evaluate((words) => window.attune.track('search', { words }), words);
        const variable = (name) => page.evaluate((name) => window.attune.variable(name, 'none'), name);
        assert.deepEqual([await variable('notice'), await variable('other')], ['seen', 'none']);
        const searches = ['Grüner Bär', 'ein grüner hut', 'grüner  hut', 'gruner hut'];
        for (const words of searches) await search(words);
        assert.equal(await page.textContent('#headline'), 'Welcome');
        for (const words of ['GRÜNER HUT', 'Grüne Hüte', 'grüne hute']) await search(words);
        await headline(page, 'Green hats');
        const taken = await eventually(
          () => collector.summary(),
          (summary) => summary.events >= 7,
        );
        assert.deepEqual([taken.events, taken.firings], [7, 3]);
        assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
      }),
    ));

  it('works where storage is blocked', () =>
    withSite(thirdViewRules(), (collector, url) =>
      visitor(async (context) => {
        await context.addInitScript(() => {
          const blocked = {
            get() {
              throw new DOMException('storage is blocked', 'SecurityError');
            },
          };
          for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
            Object.defineProperty(window, name, blocked);
          }
        });
        const page = await openPage(context, url);
        await view(page, 'lamps', 3);
        await headline(page, 'Picked for you');
        await eventually(
          () => collector.summary(),
          (summary) => summary.events >= 3,
        );
      }),
    ));
});
