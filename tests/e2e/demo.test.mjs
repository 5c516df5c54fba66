/** The demo shop inside the collector's binary: its scenes happen, on a desktop and on a phone. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector } from './rig/collector.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** Longer than the shop holds its notices back after a start, and than a visitor's hand rests between two clicks. */
const REST_MS = 2_000;

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

  /** Looks at a category once more, as a script clicks. */
  const click = (page, path) =>
    page.evaluate((path) => document.querySelector(`.nav a[href="${path}"]`).click(), path);

  /** Waits until the notice names this scene and this key. */
  async function notice(page, title, key) {
    const says = ([title, key]) => {
      const { textContent } = document.querySelector('#spotlight.is-on') ?? {};
      return textContent?.includes(`${title}.`) && textContent.includes(`key ${key}`);
    };
    await page.waitForFunction(says, [title, key]).catch(async () => {
      assert.fail(`the notice is not of "${title}", key ${key}: ${await page.textContent('#spotlight')}`);
    });
  }

  it('takes a change in the only tab for this tab’s own, after Back and after script clicks as well', () =>
    visit(DESKTOP, async (page) => {
      page.setDefaultTimeout(10_000);
      await click(page, '/lamps/reading');
      await page.click('main a[href^="/lamp/"]');
      await page.waitForTimeout(REST_MS);
      await page.goBack();
      await notice(page, 'The third look', 'reading');
      for (let view = 0; view < 3; view += 1) await click(page, '/lamps/garden');
      await notice(page, 'The third look', 'garden');
      assert.equal(await page.locator('[data-scene=two-tabs].is-seen').count(), 0);
    }));

  it('says of a change from another tab that it is from there', () =>
    visit(DESKTOP, async (page) => {
      page.setDefaultTimeout(10_000);
      const other = await page.context().newPage();
      await open(other, '/');
      await page.waitForTimeout(REST_MS);
      for (let view = 0; view < 3; view += 1) await click(other, '/lamps/garden');
      await notice(page, 'Two tabs, one visitor', 'garden');
      await notice(other, 'The third look', 'garden');
      assert.equal(await page.locator('[data-scene=two-tabs].is-seen').count(), 1);
    }));

  it('follows the device class', async () => {
    await visit(DESKTOP, (page) => page.waitForSelector('#shop.shop--window'));
    await visit(PHONE, (page) => page.waitForSelector('#shop.shop--thumb'));
  });

  it('keeps the bar under the thumb free in the phone preview', () =>
    visit(DESKTOP, async (page) => {
      await page.click('[data-scene=layout]');
      await page.waitForTimeout(REST_MS);
      await page.click('[data-preview=phone]');
      await page.waitForSelector('#spotlight.is-on');
      const isFree = () => {
        const [notice, bar] = ['#spotlight', '.thumbs'].map((part) =>
          document.querySelector(part).getBoundingClientRect(),
        );
        return notice.bottom <= bar.top;
      };
      // It comes from a little below.
      await page.waitForFunction(isFree, undefined, { timeout: 4_000 });
    }));

  it('offers something for a cart that is left alone', () =>
    visit(DESKTOP, async (page) => {
      await open(page, '/lamp/supper');
      await page.click('main [data-add]');
      assert.equal(await page.locator('#notice.notice--offer').count(), 0);
      await page.waitForSelector('#notice.notice--offer', { timeout: 30_000 });
    }));

  it('changes its headline when the rule file is edited, and takes nothing of it for another tab’s', () =>
    visit(DESKTOP, async (page) => {
      await page.waitForTimeout(REST_MS);
      const target = "[data-slot='greeting']";
      const actions = [{ kind: 'text', target, value: 'Edited while you look' }];
      const rule = { id: 'greeting', slot: 'greeting', priority: 1, when: {}, actions };
      const banner = { id: 'banner', slot: 'hero', priority: 1, when: {}, actions: [] };
      collector.writeRules({ rules: [rule, banner] }, 'greeting.json');
      await page.waitForFunction(
        (target) => document.querySelector(target)?.textContent === 'Edited while you look',
        target,
      );
      await page.waitForSelector('#spotlight.is-on');
      assert.match(await page.textContent('#spotlight'), /somebody has edited the rule/);
      assert.match(await page.textContent('#decisions'), /banner/);
      assert.equal(await page.locator('[data-scene=two-tabs].is-seen').count(), 0);
    }));
});
