/** The core in two files: the first decides alone, and nothing is lost while the rest is on its way, or where it never comes. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { headline, openBrowser, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const text = (value) => [{ kind: 'text', target: '#headline', value }];
/** A level on context alone, an event rule, and a rule with what only the rest has. */
const RULES = {
  signals: [{ name: 'views', on: 'product_view', aggregate: 'count', window: 'lifetime' }],
  rules: [
    {
      id: 'here',
      slot: 'hero',
      priority: 1,
      when: { 'context.page.path': '/' },
      actions: text('Decided first'),
    },
    {
      id: 'third',
      slot: 'hero',
      priority: 9,
      when: { 'signals.views': { $gte: 3 } },
      actions: text('Third'),
    },
  ],
};
const RARE = {
  id: 'rare',
  slot: 'hero',
  priority: 5,
  when: { 'context.ip': { $cidr: '10.0.0.0/8' } },
  actions: text('Rare'),
};

describe('the core in two files', () => {
  let browser;
  let collector;
  let site;
  let context;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
  });
  after(async () => {
    await site.close();
    await collector.remove();
    await browser.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  /** Opens a page whose rest, or other part, comes when `release` is called, or not at all where it is called with a status. */
  async function openShort(url = site.url, part = 'attune_rest.wasm', hasClock = false) {
    const page = await context.newPage();
    if (hasClock) await page.clock.install();
    let release;
    const released = new Promise((done) => {
      release = done;
    });
    await page.route(`**/${part}`, async (route) => {
      const status = await released;
      await (status ? route.fulfill({ status }) : route.continue()).catch(() => {});
    });
    await page.goto(url);
    return { page, release };
  }
  const isReady = (page) => page.evaluate(() => document.documentElement.dataset.ready === 'yes');
  const views = async (expected) => {
    const found = await eventually(
      async () => (await collector.summary()).signals.views ?? 0,
      (count) => count >= expected,
    );
    assert.equal(found, expected);
  };

  it('decides by the first file, and counts what was tracked meanwhile when the rest comes', async () => {
    const before = (await collector.summary()).signals.views ?? 0;
    const { page, release } = await openShort();
    await headline(page, 'Decided first');
    await view(page, 'lamps', 3);
    await page.waitForTimeout(300);
    assert.equal(await page.textContent('#headline'), 'Decided first');
    assert.deepEqual([await isReady(page), (await collector.summary()).signals.views ?? 0], [false, before]);
    release();
    await headline(page, 'Third');
    assert.equal(await page.evaluate(() => window.attune.signal('views')), 3);
    assert.ok(await isReady(page));
    await views(before + 3);
    assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
  });

  it('decides by the first file where clocks are set back in autumn', async () => {
    await context.close();
    context = await browser.newContext({ timezoneId: 'Europe/Rome', locale: 'it-IT' });
    const { page } = await openShort();
    await headline(page, 'Decided first');
    assert.deepEqual(await page.evaluate(() => window.attuneErrors ?? []), []);
  });

  for (const part of ['attune_rest.wasm', 'capturing.js']) {
    it(`leaves events of a page that is gone before ${part} to the next page, once`, async () => {
      const before = (await collector.summary()).signals.views ?? 0;
      const { page } = await openShort(site.url, part);
      await headline(page, 'Decided first');
      await view(page, 'lamps', 2);
      await page.waitForTimeout(120);
      assert.ok(!(await isReady(page)));
      await page.close();
      const next = await openShort();
      next.release();
      await views(before + 2);
      assert.equal(await next.page.evaluate(() => window.attune.signal('views')), 2);
    });
  }

  it('takes events along through the back/forward cache', async () => {
    const before = (await collector.summary()).signals.views ?? 0;
    const { page, release } = await openShort();
    await headline(page, 'Decided first');
    await view(page, 'lamps');
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await view(page, 'lamps');
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    release();
    await view(page, 'lamps');
    await headline(page, 'Third');
    await views(before + 3);
  });

  it('waits for the rest with rules that need it, and goes on by itself', async () => {
    const other = await Collector.start({ ...RULES, rules: [...RULES.rules, RARE] });
    const rare = await serveSite({
      '/': packagePage(other.url, WRITE_KEY, { context: { ip: '10.1.2.3' } }),
    });
    try {
      const { page, release } = await openShort(rare.url);
      await view(page, 'lamps');
      await page.waitForTimeout(500);
      assert.equal(await page.textContent('#headline'), 'Welcome');
      release();
      await headline(page, 'Rare');
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    } finally {
      await rare.close();
      await other.remove();
    }
  });

  const silence = /^wasm_unavailable: the WebAssembly has not come within a minute/;
  for (const [part, left, said] of [
    ['attune_rest.wasm', 0, silence],
    ['attune_rest.wasm', 2, silence],
    ['capturing.js', 2, /^part_unavailable: what tracks did not load/],
  ]) {
    it(`delivers beside what decides where ${part} never answers, with ${left} calls of before, and doubles nothing when it comes`, async () => {
      const before = (await collector.summary()).signals.views ?? 0;
      if (left) {
        const earlier = await openShort(site.url, part);
        await headline(earlier.page, 'Decided first');
        await view(earlier.page, 'lamps', left);
        await earlier.page.waitForTimeout(120);
        await earlier.page.close();
      }
      const sent = [];
      context.on('request', (request) => {
        if (!request.url().includes('/v1/events')) return;
        const body = request.postDataBuffer();
        const { events } = JSON.parse(body[0] === 0x1f ? gunzipSync(body) : body);
        sent.push(...events.filter(({ event_type }) => event_type === 'product_view'));
      });
      // On a clock that runs ahead it would be late as well.
      const delivers = context.waitForEvent('response', (response) =>
        response.url().endsWith('/background.js'),
      );
      const { page, release } = await openShort(site.url, part, true);
      // Whoever comes back may wait for the rest, which takes in what is stored: unless the rules have come before that.
      const decides = !left;
      if (decides) await headline(page, 'Decided first');
      await view(page, 'lamps');
      await (await delivers).finished();
      await page.waitForTimeout(300);
      for (let turn = 0; turn < 2; turn += 1) {
        await page.clock.runFor(31_000);
        await page.waitForTimeout(500);
      }
      await page.waitForFunction(() => window.attuneErrors.length > 0);
      await views(before + left + 1);
      release();
      await page.waitForTimeout(500);
      await view(page, 'lamps');
      await views(before + left + 2);
      assert.equal(sent.length, left + 2);
      if (decides) {
        assert.equal(await page.textContent('#headline'), 'Decided first');
        await page.evaluate(() => window.attune.setContext({ page: { path: '/elsewhere' } }));
        assert.equal(await page.textContent('#headline'), 'Welcome');
      }
      const errors = await page.evaluate(() => window.attuneErrors);
      assert.match(errors[0], said);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.equal(
        await page.evaluate(() => window.attune.ready.catch(({ code }) => code)),
        errors[0].split(':')[0],
      );
    });
  }

  for (const [part, said] of [
    ['attune_rest.wasm', /^wasm_unavailable: .*attune_rest\.wasm did not load/],
    ['capturing.js', /^part_unavailable: what tracks did not load/],
  ]) {
    it(`says that ${part} is not there, and keeps deciding and storing`, async () => {
      const before = (await collector.summary()).signals.views ?? 0;
      const { page, release } = await openShort(site.url, part);
      release(404);
      await page.waitForFunction(() => window.attuneErrors?.length > 0);
      assert.match((await page.evaluate(() => window.attuneErrors)).join(), said);
      await headline(page, 'Decided first');
      await view(page, 'lamps');
      await page.waitForTimeout(120);
      await page.close();
      const next = await openShort();
      next.release();
      await views(before + 1);
    });
  }
});
