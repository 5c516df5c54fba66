/** Tabs that open at once, as when a browser restores a window: they are one visitor's, and what is capped shows once. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asVisitor, openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const TABS = 3;
const ROUNDS = 3;

const headline = (id, value, more) => ({
  ...{ id, slot: 'headline', ...more },
  actions: [{ kind: 'text', target: '#headline', value }],
});
const agreed = { analytics: 'granted', personalization: 'granted' };
const refused = { analytics: 'denied', personalization: 'denied' };

const rules = {
  signals: [{ name: 'views', on: 'page_view', aggregate: 'count', window: 'lifetime' }],
  experiments: [{ id: 'look', variations: [{ key: 'a' }, { key: 'b' }] }],
  rules: [
    headline('once', 'Only once', {
      priority: 2,
      when: { 'context.page.path': '/' },
      cap: { per: 'lifetime', count: 1 },
    }),
    headline('twice', 'Twice at most', {
      priority: 1,
      when: { 'context.page.path': '/' },
      cap: { per: 'session', count: 2 },
    }),
    headline('always', 'Always', { when: { 'context.page.path': '/' } }),
    {
      ...{ id: 'looked', slot: 'look', when: { 'experiments.look': { $in: ['a', 'b'] } } },
      actions: [{ kind: 'text', target: '#look', value: 'Seen' }],
    },
  ],
};

describe('tabs that open at once', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(rules);
    gate = await openGate(collector.url);
    const page = packagePage(gate.url, WRITE_KEY).replace('<script', '<h2 id="look">Original</h2>\n<script');
    const tracking = page.replace('window.attune.ready', 'window.attune.page();\n  window.attune.ready');
    const silent = page.replace('"headline"', '"none"');
    site = await serveSite({ '/': tracking, '/before': silent });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });

  const openAtOnce = async (context, path = '/') => {
    const pages = [];
    for (let tab = 0; tab < TABS; tab += 1) pages.push(await context.newPage());
    await Promise.all(pages.map((page) => page.goto(site.url + path)));
    await Promise.all(pages.map((page) => page.waitForSelector('[data-ready]')));
    return pages;
  };
  /** Every event that has been posted, once. */
  const posted = () => {
    const batches = gate.posted.map((text) => JSON.parse(text));
    const events = batches.flatMap(({ anonymous_id, events = [] }) =>
      events.map((event) => ({ anonymous_id, ...event })),
    );
    return [...new Map(events.map((event) => [event.event_id, event])).values()];
  };
  const ofType = (type) => posted().filter(({ event_type }) => event_type === type);
  const headlines = async (pages) =>
    (await Promise.all(pages.map((page) => page.textContent('#headline')))).sort();

  for (let round = 1; round <= ROUNDS; round += 1) {
    it(`are of one new visitor, and show what is capped as often as it may be (${round})`, () =>
      asVisitor(browser, async (context) => {
        gate.posted.length = 0;
        const pages = await openAtOnce(context);
        assert.deepEqual(await headlines(pages), ['Only once', 'Twice at most', 'Twice at most']);
        await eventually(
          () => [ofType('page_view').length, ofType('attune.shown').length, ofType('attune.exposure').length],
          ([views, shown, exposed]) => views === TABS && shown === TABS && exposed > 0,
        );
        // Nothing more is on its way.
        await pages[0].waitForTimeout(500);
        const events = posted();
        assert.equal(new Set(events.map(({ anonymous_id }) => anonymous_id)).size, 1, 'one visitor');
        assert.equal(new Set(events.map(({ session_id }) => session_id)).size, 1, 'one session');
        const shown = ofType('attune.shown').map(({ metadata }) => metadata.rule);
        assert.deepEqual(shown.sort(), ['once', 'twice', 'twice']);
        assert.equal(ofType('attune.exposure').length, 1, 'exposed once');
        for (const page of pages) await page.waitForFunction(() => window.attune.signal('views') === 3);
        await pages[0].reload();
        await pages[0].waitForSelector('[data-ready]');
        assert.equal(await pages[0].textContent('#headline'), 'Always');
      }));
  }

  it('are of a visitor who has been here before', () =>
    asVisitor(browser, async (context) => {
      const earlier = await context.newPage();
      await earlier.goto(`${site.url}/before`);
      await earlier.waitForSelector('[data-ready]');
      await earlier.evaluate(() => window.attune.track('arrival'));
      await eventually(
        () => ofType('arrival').length,
        (count) => count === 1,
      );
      await earlier.close();
      gate.posted.length = 0;
      const pages = await openAtOnce(context);
      assert.deepEqual(await headlines(pages), ['Only once', 'Twice at most', 'Twice at most']);
      const again = await openAtOnce(context);
      assert.deepEqual(await headlines(again), ['Always', 'Always', 'Always']);
    }));

  it('are given nothing of the visitor before, where another user comes while what is capped waits for its turn', () =>
    asVisitor(browser, async (context) => {
      const page = await context.newPage();
      for (let visit = 0; visit < 3; visit += 1) {
        await page.goto(site.url);
        await page.waitForSelector('[data-ready]');
        // Until the collector has sent the profile, which is stored.
        await page.waitForFunction((views) => window.attune.signal('views') === views, visit + 1);
      }
      await page.evaluate(() => window.attune.identify('first'));
      await page.waitForTimeout(600);
      await page.evaluate(() => window.attune.identify('second'));
      await page.waitForTimeout(600);
      assert.equal(await page.evaluate(() => window.attune.signal('views')), 0);
    }));

  /** Makes a call in each page, at the very time. */
  const callAt = (pages, atMs, calls) =>
    Promise.all(
      pages.map((page, place) =>
        page.evaluate(
          async ([atMs, [method, ...values]]) => {
            await new Promise((awake) => setTimeout(awake, atMs - Date.now() - 20));
            while (Date.now() < atMs);
            window.attune[method](...values);
          },
          [atMs, calls[place]],
        ),
      ),
    );

  for (const first of ['no', 'yes'])
    it(`agree on one word where the visitor says yes in one and no in another at once, first ${first}`, () =>
      asVisitor(browser, async (context) => {
        const pages = (await openAtOnce(context)).slice(0, 2);
        const said = [refused, agreed].map((word) => ['consent', word]);
        if (first === 'yes') said.reverse();
        for (let round = 0; round < 8; round += 1) {
          await callAt(pages, Date.now() + 200, said);
          await pages[0].waitForTimeout(300);
          const isRefused = (await headlines(pages)).map((text) => text === 'Welcome');
          assert.equal(isRefused[0], isRefused[1], `in round ${round}`);
        }
      }));

  for (const before of [undefined, 'ann'])
    it(`agree on one user, who is stored, where three log in at once, after ${before ?? 'nobody'}`, () =>
      asVisitor(browser, async (context) => {
        const pages = await openAtOnce(context);
        if (before) {
          await pages[0].evaluate((user) => window.attune.identify(user), before);
          await pages[0].waitForTimeout(300);
        }
        const users = ['ada', 'bob', 'eve'].map((user) => ['identify', user]);
        await callAt(pages, Date.now() + 200, users);
        await pages[0].waitForTimeout(500);
        gate.posted.length = 0;
        const next = await context.newPage();
        await next.goto(`${site.url}/before`);
        await next.waitForSelector('[data-ready]');
        for (const page of [...pages, next]) await page.evaluate(() => window.attune.track('later'));
        const later = await eventually(
          () => ofType('later'),
          (found) => found.length === TABS + 1,
        );
        assert.equal(new Set(later.map(({ anonymous_id }) => anonymous_id)).size, 1);
        assert.equal(new Set(later.map(({ user_id }) => user_id)).size, 1, JSON.stringify(later));
        assert.ok(later[0].user_id);
      }));

  for (const [change, act] of [
    ['reset', (page) => page.evaluate(() => window.attune.reset())],
    ['forget', (page) => page.evaluate(() => window.attune.forget())],
    [
      'identify of another user',
      async (page) => {
        await page.evaluate(() => window.attune.identify('first'));
        await page.evaluate(() => window.attune.identify('second'));
      },
    ],
    [
      'no and yes',
      async (page, pages) => {
        await page.evaluate((said) => window.attune.consent(said), refused);
        await eventually(
          () => headlines(pages),
          (shown) => shown.every((text) => text === 'Welcome'),
        );
        await page.evaluate((said) => window.attune.consent(said), agreed);
      },
    ],
    [
      'no and yes at once',
      (page) =>
        page.evaluate(
          ([no, yes]) => {
            window.attune.consent(no);
            window.attune.consent(yes);
          },
          [refused, agreed],
        ),
    ],
  ])
    it(`show what is capped anew, as often as it may be, to who comes by ${change}`, () =>
      asVisitor(browser, async (context) => {
        const pages = await openAtOnce(context);
        assert.deepEqual(await headlines(pages), ['Only once', 'Twice at most', 'Twice at most']);
        await eventually(
          () => ofType('attune.shown').length,
          (count) => count >= TABS,
        );
        await pages[0].waitForTimeout(300);
        gate.posted.length = 0;
        await act(pages[0], pages);
        // What was on its way of the one before.
        await pages[0].waitForTimeout(1_500);
        const member = await pages[0].evaluate(
          (key) => localStorage.getItem(`attune/${key}/member`),
          WRITE_KEY,
        );
        assert.deepEqual(await headlines(pages), ['Only once', 'Twice at most', 'Twice at most']);
        const shown = () =>
          ofType('attune.shown').map(({ anonymous_id, session_id, metadata }) => [
            ...[metadata.rule, anonymous_id === member, session_id],
          ]);
        await eventually(shown, (found) => found.length === TABS);
        const [[, , session]] = shown();
        assert.deepEqual(
          shown().sort(),
          ['once', 'twice', 'twice'].map((rule) => [rule, true, session]),
        );
        await pages[0].reload();
        await pages[0].waitForSelector('[data-ready]');
        assert.equal(await pages[0].textContent('#headline'), 'Always');
      }));
});
