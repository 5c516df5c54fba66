/** The real libraries of Mixpanel against a real collector: on a server, and in Chromium on a page of another origin. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../e2e/rig/collector.mjs';
import { eventually } from '../e2e/rig/eventually.mjs';
import { RULES } from './rig/rules.mjs';
import { sendWith } from './rig/run.mjs';
import { openSite } from './rig/site.mjs';

const SOURCE = `
  import mixpanel from 'mixpanel-browser';
  window.start = (token, api_host, options) => {
    mixpanel.init(token, { api_host, ...options });
    window.mixpanel = mixpanel;
  };
`;

let browser;
let collector;
let site;

before(async () => {
  collector = await Collector.start(RULES);
  site = await openSite(SOURCE, import.meta.dirname);
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await site?.close();
  await collector?.remove();
});

test('the library for Python delivers events, imports and profiles', async () => {
  await sendWith('mixpanel (Python)', collector.url, WRITE_KEY, 250);
  const { accepted, duplicates, signals } = await collector.summary();
  assert.deepEqual([accepted, duplicates, signals.visits, signals.orders], [253, 0, 250, 2]);
  assert.equal(signals.spent, 10);
  const user = await collector.user('user_1');
  assert.deepEqual([user.traits, user.events], [{ address: { city: 'Oslo' }, plan: 'gold' }, 3]);
  assert.equal((await collector.profile('browser_1')).events, 250);
  await assert.rejects(
    sendWith('mixpanel (Python)', collector.url, 'another-key', 1),
    /write key is unknown/,
  );
});

const forms = {
  'in batches': {},
  'each call, as JSON': { batch_requests: false, api_payload_format: 'json' },
};
for (const [index, [form, options]] of Object.entries(forms).entries()) {
  test(`a page with mixpanel-browser delivers ${form}`, async () => {
    const user_id = `visitor_${index}`;
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const asked = [];
      const failed = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => message.type() === 'error' && failed.push(message.text()));
      await page.goto(`${site.url}/shoes`);
      await page.evaluate(
        ([token, url, options, user_id]) => {
          window.start(token, url, { ...options, batch_flush_interval_ms: 200 });
          const { mixpanel } = window;
          mixpanel.track_pageview();
          mixpanel.track('Order Completed', { total: 9.5 });
          mixpanel.identify(user_id);
          mixpanel.people.set({ plan: 'gold', $email: 'a@example.com' });
          for (let visit = 0; visit < 20; visit += 1) mixpanel.track('Visited', { visit });
        },
        [WRITE_KEY, collector.url, options, user_id],
      );
      const user = await eventually(
        () => collector.user(user_id).catch(() => undefined),
        (user) => user?.signals.visits === 20 && user.traits.plan === 'gold',
      );
      const { visits, orders, pages } = user.signals;
      assert.deepEqual([visits, orders, pages], [20, 1, 1]);
      assert.equal(user.traits.email, 'a@example.com');
      const hosts = new Set(asked.map((url) => new URL(url).origin));
      assert.deepEqual([...hosts].sort(), [site.url, collector.url].sort(), 'nobody else is asked');
      assert.deepEqual(failed, []);
      const view = collector
        .dump()
        .map(JSON.parse)
        .filter(({ event_type }) => event_type === 'page_view');
      assert.deepEqual([view.at(-1).metadata.path, view.at(-1).metadata.title], ['/shoes', 'Shoes']);
    } finally {
      await context.close();
    }
  });
}
