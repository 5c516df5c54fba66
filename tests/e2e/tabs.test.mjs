/** Tabs of one visitor: one holds the stream for all, and what one knows the others know. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { asVisitor, crash, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Time after which a hidden page leads no more, and a little. */
const HIDDEN_MS = 5_500;

describe('tabs of one visitor', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    site = await serveSite({ '/': packagePage(gate.url, WRITE_KEY) });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });

  const visitor = (body) => {
    gate.asked.length = 0;
    return asVisitor(browser, body);
  };
  const streams = () => gate.asked.filter((path) => path === '/v1/stream').length;
  const stream = (page) =>
    page.evaluate(async () => {
      const { inspect } = await import('/attune/devtools.js');
      return inspect(window.attune)?.stream;
    });
  const open = async (context, count) => {
    const pages = [];
    for (let page = 0; page < count; page += 1) pages.push(await openPage(context, site.url));
    return pages;
  };

  it('share one stream, and another one takes it over when its tab is gone', () =>
    visitor(async (context) => {
      const [first, second, third] = await open(context, 3);
      await view(first, 'lamps');
      await eventually(
        () => stream(first),
        (state) => state === 'open',
      );
      await view(second, 'lamps');
      await third.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 2);
      await third.waitForTimeout(300);
      assert.deepEqual([streams(), await stream(second), await stream(third)], [1, 'closed', 'closed']);
      await first.close();
      await eventually(
        async () => [await stream(second), await stream(third)].sort(),
        ([, state]) => state === 'open',
      );
      assert.equal(streams(), 2);
    }));

  /** Hides a page, or shows it: one that is driven never is hidden. */
  const turn = (page, isHidden) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, isHidden);
  /** The kinds of the locks that a page has, and those that it waits for, which stand behind a question mark. */
  const locks = (page) =>
    page.evaluate(async () => {
      let mine;
      await navigator.locks.request(`who-${Math.random()}`, async ({ name }) => {
        const { held } = await navigator.locks.query();
        mine = held.find((lock) => lock.name === name).clientId;
      });
      const { held, pending } = await navigator.locks.query();
      const kinds = (locks) =>
        locks.filter(({ clientId }) => clientId === mine).map(({ name }) => name.split('/')[2]);
      const all = [...kinds(held), ...kinds(pending).map((kind) => `${kind}?`)];
      return all.filter((kind) => !kind.startsWith('undefined')).sort();
    });
  const hasLocks = (page, ...expected) =>
    eventually(
      () => locks(page),
      (found) => found.join() === expected.join(),
    );

  it('take up what one leaves that crashes, once, also where all others are hidden', () =>
    visitor(async (context) => {
      const [first, second, third] = await open(context, 3);
      for (const page of [second, third]) await turn(page, true);
      await second.waitForTimeout(HIDDEN_MS);
      const before = (await collector.summary()).signals.category_views ?? 0;
      gate.refuse = { status: 429, retryAfter: '9' };
      await view(first, 'vases', 3);
      const posts = () => gate.asked.filter((path) => path === '/v1/events').length;
      await second.waitForTimeout(300);
      await crash(first);
      // The browser sends what has been left with it, in vain.
      await second.waitForTimeout(300);
      const asked = posts();
      gate.refuse = undefined;
      await second.waitForTimeout(7_000);
      // What is taken up keeps to what the collector has said.
      assert.equal(posts(), asked);
      await eventually(
        () => collector.summary(),
        ({ signals }) => signals.category_views >= before + 3,
      );
      await second.waitForTimeout(500);
      const isOfTest = ({ metadata }) => metadata?.category === 'vases';
      const brought = gate.posted.map((text) => (JSON.parse(text).events ?? []).filter(isOfTest).length);
      assert.deepEqual(brought.filter(Boolean), [3]);
      assert.deepEqual([await stream(second), await stream(third)], ['closed', 'closed']);
    }));

  it('have one stand in where all are hidden, until one is visible or it is frozen', () =>
    visitor(async (context) => {
      const [first, second] = await open(context, 2);
      await hasLocks(first, 'lane', 'lane?', 'lead', 'stand-in');
      for (const page of [first, second]) await turn(page, true);
      await eventually(
        async () => [await locks(first), await locks(second)].map(String).sort(),
        ([one, other]) => one === 'lane,lane?,stand-in' && other === 'lane,stand-in?',
      );
      assert.equal(streams(), 0);
      const isFirst = (await locks(first)).includes('stand-in');
      const [standing, waiting] = isFirst ? [first, second] : [second, first];
      await turn(waiting, false);
      await hasLocks(waiting, 'lane', 'lane?', 'lead', 'stand-in');
      await hasLocks(standing, 'lane', 'stand-in?');
      await waiting.close();
      await hasLocks(standing, 'lane', 'stand-in');
      // Frozen pages, and those in the back/forward cache, hold nothing and wait for nothing.
      await standing.evaluate(() => document.dispatchEvent(new Event('freeze')));
      await hasLocks(standing);
    }));

  it('know who the visitor is as soon as one is told', () =>
    visitor(async (context) => {
      const [first, second] = await open(context, 2);
      await first.evaluate(() => window.attune.identify('user-7'));
      const sent = second.waitForRequest((request) => request.url().includes('/v1/events'));
      await second.waitForFunction(async () => {
        const { inspect } = await import('/attune/devtools.js');
        return inspect(window.attune).user_id === 'user-7';
      });
      await view(second, 'hats');
      const bytes = (await sent).postDataBuffer();
      const text = String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
      assert.equal(JSON.parse(text).events[0].user_id, 'user-7');
    }));

  it('follow what is said of consent in one of them', () =>
    visitor(async (context) => {
      const [first, second] = await open(context, 2);
      const posts = () => gate.asked.filter((path) => path === '/v1/events').length;
      await view(first, 'hats', 3);
      // Only what has been decided there can go with the no.
      await second.waitForFunction(() => window.attune.decision('headline') !== undefined);
      // That something is shown is an event as well, which may need a request of its own.
      await eventually(posts, (count) => count > 0);
      await first.waitForTimeout(300);
      const before = posts();
      await first.evaluate(() => window.attune.consent({ analytics: 'denied', personalization: 'denied' }));
      await second.waitForFunction(() => window.attune.decision('headline') === undefined);
      assert.equal(await second.evaluate(() => localStorage.length), 0);
      await view(second, 'hats', 2);
      await second.waitForTimeout(200);
      assert.equal(posts(), before);
    }));

  it('pause together while the collector turns them down', () =>
    visitor(async (context) => {
      const [first, second] = await open(context, 2);
      await view(first, 'hats');
      await first.waitForTimeout(200);
      gate.refuse = { status: 429, retryAfter: '3' };
      const failures = (page) =>
        page.evaluate(async () => {
          const { inspect } = await import('/attune/devtools.js');
          return inspect(window.attune).queue.failures;
        });
      await view(first, 'hats');
      await eventually(
        () => failures(second),
        (count) => count === 1,
      );
      const asked = gate.asked.filter((path) => path === '/v1/events').length;
      await view(second, 'hats', 5);
      await second.waitForTimeout(500);
      assert.equal(gate.asked.filter((path) => path === '/v1/events').length, asked);
      gate.refuse = undefined;
      const before = await collector.summary();
      await eventually(
        () => collector.summary(),
        ({ events }) => events >= before.events + 6,
      );
    }));
});
