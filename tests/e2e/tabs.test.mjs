/** Tabs of one visitor: one holds the stream for all, and what one knows the others know. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { asVisitor, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

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
