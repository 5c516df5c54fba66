/** A profile that is linked while its page shows, or would show, what is capped: the page keeps it. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asVisitor, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const variable = (id, slot, name, value, more) => ({
  ...{ id, slot, ...more },
  when: { 'traits.plan': 'pro' },
  actions: [{ kind: 'variable', name, value }],
});
const rules = {
  signals: [{ name: 'views', on: 'page_view', aggregate: 'count', window: 'lifetime' }],
  rules: [
    variable('shipping', 'shipping', 'free_from', 0),
    variable('capped', 'banner', 'banner', 'yes', { cap: { per: 'lifetime', count: 5 } }),
  ],
};

describe('a capped level that begins with a linked profile', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(rules);
    site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  const found = (page) =>
    page.evaluate(() => {
      const { attune } = window;
      return [attune.variable('free_from', 50), attune.variable('banner', 'no'), attune.signal('views')];
    });
  const becomes = (page, ...expected) =>
    eventually(
      () => found(page),
      (values) => values.join() === expected.join(),
    );
  /** A page view of a visitor whose own profile has come back. */
  const viewed = async (page) => {
    await page.evaluate(() => window.attune.page());
    await page.evaluate(() => window.attune.flush());
    const member = () => page.evaluate(() => localStorage.getItem('attune/e2e/member'));
    const isBased = async (member) =>
      page.evaluate(
        (member) =>
          new Promise((done) => {
            const opening = indexedDB.open('attune/e2e');
            opening.onsuccess = () => {
              const [store] = opening.result.objectStoreNames;
              const asked = opening.result.transaction(store).objectStore(store).get('base');
              asked.onsuccess = () => {
                opening.result.close();
                done(asked.result?.[0] === member);
              };
            };
          }),
        member,
      );
    await eventually(async () => isBased(await member()), Boolean);
  };
  const login = (page, user, traits) =>
    page.evaluate(([user, traits]) => window.attune.identify(user, traits), [user, traits]);

  it('is shown on a second device, with all that the profile has', async () => {
    await asVisitor(browser, async (context) => {
      const page = await openPage(context, site.url);
      await viewed(page);
      await login(page, 'ada', { plan: 'pro' });
      await becomes(page, 0, 'yes', 1);
    });
    await asVisitor(browser, async (context) => {
      const page = await openPage(context, site.url);
      await viewed(page);
      await login(page, 'ada');
      await becomes(page, 0, 'yes', 2);
      await page.evaluate(() => window.attune.page());
      await becomes(page, 0, 'yes', 3);
      // What is stored is what the next page starts from.
      await page.waitForTimeout(300);
      await page.reload();
      await page.waitForSelector('html[data-ready=yes]');
      assert.deepEqual(await found(page), [0, 'yes', 3]);
    });
  });

  it('is shown to who logs out and in again', () =>
    asVisitor(browser, async (context) => {
      const page = await openPage(context, site.url);
      await viewed(page);
      await login(page, 'bob', { plan: 'pro' });
      await becomes(page, 0, 'yes', 1);
      await page.evaluate(() => window.attune.reset());
      await viewed(page);
      await login(page, 'bob');
      await becomes(page, 0, 'yes', 2);
    }));
});
