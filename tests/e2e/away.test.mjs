/** Pages that come back from where they hear nothing: what other pages have tracked meanwhile counts there, once. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { asVisitor, crash, headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { fanRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const FLIPPED = 'For friends of lamps';
/** More than the time for which writes wait. */
const STORED_MS = 300;

describe('a page that comes back', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    // The rig's browser has no back/forward cache unless asked for.
    browser = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  });
  after(() => browser.close());
  beforeEach(async () => {
    collector = await Collector.start(fanRules());
    site = await serveSite({
      '/': packagePage(collector.url, WRITE_KEY),
      '/other': '<!doctype html><title>Other</title>',
    });
  });
  afterEach(async () => {
    await site.close();
    await collector.remove();
  });

  const counted = async () => (await collector.summary()).signals.category_views ?? 0;
  const signal = (page) => page.evaluate(() => window.attune.signal('category_views', 'lamps'));
  /** The numbers of the events that the browser has stored. */
  const stored = (page) =>
    page.evaluate(async () => {
      const request = indexedDB.open('attune/e2e');
      const database = await new Promise((done) => {
        request.onsuccess = () => done(request.result);
      });
      const keys = database.transaction('entries').objectStore('entries').getAllKeys();
      await new Promise((done) => {
        keys.onsuccess = done;
      });
      database.close();
      return keys.result.filter((key) => Array.isArray(key)).length;
    });
  /** Opens a page that has one view, which the collector knows, and that goes on counting while the collector is down. */
  const open = async (context) => {
    const page = await openPage(context, site.url);
    await page.evaluate(() => {
      window.persisted = [];
      addEventListener('pageshow', (event) => persisted.push(event.persisted));
    });
    await view(page, 'lamps');
    await eventually(counted, (views) => views === 1);
    await eventually(
      () => stored(page),
      (count) => count === 0,
    );
    return page;
  };
  const comeBack = async (page) => {
    await page.goBack({ waitUntil: 'commit' });
    await page.waitForFunction(() => window.persisted.length > 0);
    assert.deepEqual(await page.evaluate(() => window.persisted), [true]);
  };
  /** Expects three views that flip the rule, and no more once the collector has heard everything. */
  const expectThree = async (page) => {
    await headline(page, FLIPPED);
    assert.equal(await signal(page), 3);
    await collector.start();
    await page.evaluate(() => window.attune.flush());
    await eventually(counted, (views) => views >= 3);
    await eventually(
      () => stored(page),
      (count) => count === 0,
    );
    assert.deepEqual([await signal(page), await counted()], [3, 3]);
    // That the collector was down is told, and nothing else.
    const errors = await page.evaluate(() => window.attuneErrors);
    assert.deepEqual(
      errors.filter((text) => !text.startsWith('bundle_unreachable')),
      [],
    );
  };

  for (const [what, end] of [
    ['an open tab', () => {}],
    ['a tab that has crashed', crash],
  ]) {
    it(`out of the cache counts what ${what} has tracked and not delivered`, () =>
      asVisitor(browser, async (context) => {
        const page = await open(context);
        await page.goto(`${site.url}/other`);
        const other = await openPage(context, site.url);
        await collector.stop();
        await view(other, 'lamps', 2);
        await other.waitForTimeout(STORED_MS);
        await end(other);
        await comeBack(page);
        await expectThree(page);
      }));
  }

  it('out of the cache counts what has been delivered and is in the stored profile only', () =>
    asVisitor(browser, async (context) => {
      const page = await open(context);
      await page.goto(`${site.url}/other`);
      const other = await openPage(context, site.url);
      await view(other, 'lamps', 2);
      await eventually(counted, (views) => views === 3);
      await eventually(
        () => stored(other),
        (count) => count === 0,
      );
      await other.waitForTimeout(STORED_MS);
      await collector.stop();
      await comeBack(page);
      await expectThree(page);
    }));

  it('out of the cache counts its own events once that another tab has delivered', () =>
    asVisitor(browser, async (context) => {
      const page = await open(context);
      await collector.stop();
      await view(page, 'lamps');
      await page.goto(`${site.url}/other`);
      await collector.start();
      const other = await openPage(context, site.url);
      await eventually(counted, (views) => views === 2);
      await view(other, 'lamps');
      await eventually(counted, (views) => views === 3);
      await eventually(
        () => stored(other),
        (count) => count === 0,
      );
      await other.waitForTimeout(STORED_MS);
      await collector.stop();
      await comeBack(page);
      await expectThree(page);
    }));

  it('from being frozen counts what an open tab has tracked meanwhile', () =>
    asVisitor(browser, async (context) => {
      const page = await open(context);
      const other = await openPage(context, site.url);
      // Chromium freezes hidden pages only, and one that is driven is never hidden: it hears what it would hear.
      const turn = (name) => page.evaluate((name) => document.dispatchEvent(new Event(name)), name);
      await collector.stop();
      await turn('freeze');
      await view(other, 'lamps', 2);
      await other.waitForTimeout(STORED_MS);
      assert.equal(await signal(page), 1);
      await turn('resume');
      await expectThree(page);
    }));
});
