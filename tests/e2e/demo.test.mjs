/** The demo shop inside the collector's binary: its scenes happen, on a desktop and on a phone. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector } from './rig/collector.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe('the demo shop', () => {
  let browser;
  let collector;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.startDemo();
  });
  after(async () => {
    await collector.remove();
    await browser.close();
  });

  /** A visitor of its own; nothing may be logged as an error, and nothing may be wider than the screen. */
  async function visit(viewport, body) {
    const context = await browser.newContext({ viewport, hasTouch: viewport === PHONE });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    try {
      await page.goto(collector.url);
      await page.waitForSelector('body.is-open');
      await body(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
    }
  }

  async function open(page, path) {
    await page.goto(collector.url + path);
    await page.waitForSelector('body.is-open');
  }

  for (const [name, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    it(`lights another banner at the third view of a category, and keeps it (${name})`, () =>
      visit(viewport, async (page) => {
        for (let view = 0; view < 3; view += 1) {
          assert.equal(await page.locator('[data-variant=reading].is-on').count(), 0);
          await open(page, '/lamps/reading');
        }
        await page.waitForSelector('[data-variant=reading].is-on');
        await open(page, '/');
        await page.waitForSelector('[data-variant=reading].is-on');
      }));
  }

  it('follows the device class', async () => {
    await visit(DESKTOP, (page) => page.waitForSelector('#shop.shop--window'));
    await visit(PHONE, (page) => page.waitForSelector('#shop.shop--thumb'));
  });

  it('offers something for a cart that is left alone', () =>
    visit(DESKTOP, async (page) => {
      await open(page, '/lamp/supper');
      await page.click('main [data-add]');
      assert.equal(await page.locator('#notice.notice--offer').count(), 0);
      await page.waitForSelector('#notice.notice--offer', { timeout: 30_000 });
    }));

  it('changes its headline when the rule file is edited', () =>
    visit(DESKTOP, async (page) => {
      const target = "[data-slot='greeting']";
      const actions = [{ kind: 'text', target, value: 'Edited while you look' }];
      const rule = { id: 'greeting', slot: 'greeting', priority: 1, when: {}, actions };
      collector.writeRules({ rules: [rule] }, 'greeting.json');
      await page.waitForFunction(
        (target) => document.querySelector(target)?.textContent === 'Edited while you look',
        target,
      );
    }));
});
