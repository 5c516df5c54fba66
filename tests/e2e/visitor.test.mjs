/** Who the visitor is: reset and login reach every tab, and an ended client leaves the page as it was. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

describe('the visitor of a page', () => {
  let browser;
  let collector;
  let site;
  let context;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
    context = await browser.newContext();
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  const member = (page) => page.evaluate(() => localStorage.getItem('attune/e2e/member'));

  it('begins anew in every tab on reset', async () => {
    const [first, second] = [await openPage(context, site.url), await openPage(context, site.url)];
    await view(first, 'lamps', 3);
    await headline(second, 'Picked for you');
    const before = await member(first);
    await first.evaluate(() => window.attune.reset());
    await headline(first, 'Welcome');
    await headline(second, 'Welcome');
    assert.notEqual(await member(second), before);
    await view(second, 'lamps');
    await first.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 1);
    await Promise.all([first.close(), second.close()]);
  });

  it('stays one through the first login and changes with the next user', async () => {
    const page = await openPage(context, site.url);
    const anonymous = await member(page);
    await page.evaluate(() => window.attune.identify('user-1'));
    await page.evaluate(() => window.attune.flush());
    assert.equal(await member(page), anonymous);
    await page.evaluate(() => window.attune.identify('user-2'));
    await page.evaluate(() => window.attune.flush());
    assert.notEqual(await member(page), anonymous);
    await page.close();
  });

  it('is handed over whole when the client ends and begins again', async () => {
    const page = await openPage(context, site.url);
    await view(page, 'lamps', 3);
    await headline(page, 'Picked for you');
    await page.evaluate(async () => {
      window.attune.track('product_view', { category: 'chairs' });
      await window.attune.shutdown();
    });
    await headline(page, 'Welcome');
    await page.reload();
    await headline(page, 'Picked for you');
    await page.waitForFunction(() => window.attune.signal('category_views', 'chairs') === 1);
    assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
  });
});
