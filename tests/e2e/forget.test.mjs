/** Forgetting reaches the collector: at once, behind a page that is gone, and on the next visit where it was away. */

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };

describe('forgetting a visitor', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    const page = (options) => packagePage(gate.url, WRITE_KEY, options);
    site = await serveSite({
      '/': page({}),
      '/unasked': page({ consent: UNKNOWN }),
      '/strict': page({ consent: UNKNOWN, strict: true }),
      '/cookieless': page({ cookieless: true }),
    });
  });
  // One that fails while the collector is away leaves it to the next.
  afterEach(() => collector.start());
  after(async () => {
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });

  const isKnown = async (member) => {
    try {
      return (await collector.profile(member)).events > 0;
    } catch (error) {
      if (String(error).includes(': 404')) return false;
      throw error;
    }
  };
  const isErased = (member) =>
    eventually(
      () => isKnown(member),
      (known) => !known,
    );
  /** A visitor of whom the collector knows something. */
  async function known(path = '/') {
    const context = await browser.newContext();
    const page = await openPage(context, site.url + path);
    await page.evaluate(() => window.attune.track('product_view', { category: 'lamps' }));
    const member = await page.evaluate(async () => {
      const { inspect } = await import('/attune/devtools.js');
      return inspect(window.attune).member;
    });
    await eventually(
      () => isKnown(member),
      (known) => known,
    );
    // The receipt has brought the token.
    await page.waitForTimeout(300);
    gate.asked.length = 0;
    return { context, page, member };
  }
  const stored = (page) =>
    page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('erase')));
  const forget = (page) => page.evaluate(() => window.attune.forget());
  const asked = () => gate.asked.filter((path) => path === '/v1/forget');

  for (const [what, act, isToErase] of [
    ['erases what was on its way when its visitor was forgotten', () => window.attune.forget(), true],
    [
      'keeps what was on its way when its visitor said no',
      () => window.attune.consent({ analytics: 'denied', personalization: 'denied' }),
      false,
    ],
  ]) {
    it(`${what}, before any receipt had come`, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      let letGo;
      const receipts = new Promise((done) => {
        letGo = done;
      });
      await page.route('**/v1/events*', async (route) => {
        const response = await route.fetch();
        await receipts;
        await route.fulfill({ response }).catch(() => {});
      });
      await page.goto(site.url);
      await page.waitForSelector('html[data-ready=yes]');
      const member = await page.evaluate(() => {
        window.attune.track('product_view', { category: 'lamps' });
        return localStorage.getItem('attune/e2e/member');
      });
      await eventually(
        () => isKnown(member),
        (known) => known,
      );
      gate.asked.length = 0;
      await page.evaluate(act);
      letGo();
      if (isToErase) await isErased(member);
      await page.waitForTimeout(500);
      assert.deepEqual([await isKnown(member), asked().length], [!isToErase, isToErase ? 1 : 0]);
      assert.notEqual(await page.evaluate(() => localStorage.getItem('attune/e2e/member')), member);
      await context.close();
    });
  }

  it('asks the collector once, without a preflight, in whatever tabs the site is open', async () => {
    const { context, page, member } = await known();
    const other = await openPage(context, site.url);
    await forget(page);
    await isErased(member);
    await page.waitForTimeout(300);
    assert.equal(asked().length, 1);
    assert.deepEqual(await stored(page), []);
    await other.close();
    await context.close();
  });

  it('reaches the collector from a page that is gone at once', async () => {
    const { context, page, member } = await known();
    await page.evaluate(() => {
      window.attune.forget();
      location.href = 'about:blank';
    });
    await isErased(member);
    await context.close();
  });

  for (const [what, path, act] of [
    ['forget()', '/', () => window.attune.forget()],
    ['a yes', '/unasked', () => window.attune.consent({ analytics: 'granted', personalization: 'granted' })],
  ])
    it(`keeps for the next page what follows ${what} where the page goes in the same task`, async () => {
      const context = await browser.newContext();
      const page = await openPage(context, site.url + path);
      gate.posted.length = 0;
      await page.evaluate(`(${act})(); window.attune.track('afterwards'); location.href = '/?next';`);
      const sent = () =>
        gate.posted
          .flatMap((text) => JSON.parse(text).events ?? [])
          .filter(({ event_type }) => event_type === 'afterwards');
      await eventually(sent, (events) => events.length > 0);
      await page.waitForTimeout(300);
      assert.equal(sent().length, 1);
      await context.close();
    });

  for (const path of ['/', '/unasked', '/strict']) {
    it(`asks again on the next visit where the collector was away, at ${path}`, async () => {
      const { context, page, member } = await known();
      await collector.stop();
      await forget(page);
      await page.waitForTimeout(300);
      assert.deepEqual(await stored(page), [`attune-erase/${WRITE_KEY}/${member}`]);
      await page.close();
      await collector.start();
      assert.equal(await isKnown(member), true);
      const next = await context.newPage();
      await next.goto(site.url + path);
      await isErased(member);
      await eventually(
        () => stored(next),
        (left) => left.length === 0,
      );
      await context.close();
    });
  }

  it('leaves nothing behind where nothing may be stored', async () => {
    const { context, page, member } = await known('/cookieless');
    await forget(page);
    await isErased(member);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await context.close();
  });

  it('is more than a no, which the collector is not told of', async () => {
    const { context, page, member } = await known();
    await page.evaluate(() => window.attune.consent({ analytics: 'denied', personalization: 'denied' }));
    await page.waitForTimeout(500);
    assert.deepEqual([await isKnown(member), asked()], [true, []]);
    await context.close();
  });
});
