/** Pages that come and go: closed at once, kept in the back/forward cache, prerendered before anybody looks. */

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { asVisitor, besideAlone, headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Time in which a repeat would come. */
const QUIET_MS = 500;

/** A page that has another one prerendered, says what that has stored meanwhile, and goes there once it may. */
const PRERENDERING = `<!doctype html>
<html lang="en">
<title>Before</title>
<script type="speculationrules">{ "prerender": [{ "urls": ["/prerendered"], "eagerness": "immediate" }] }</script>
<script type="module">
  await new Promise((done) => setTimeout(done, 1_500));
  const stored = [(await indexedDB.databases()).length, localStorage.length];
  await fetch('/said', { method: 'POST', body: JSON.stringify({ stored }) });
  await fetch('/may-go');
  location.href = '/prerendered';
</script>
</html>`;

/** What the prerendered page does beside starting Attune. */
const PRERENDERED = `window.attune.track('product_view', { category: 'early' });
  document.addEventListener('prerenderingchange', () => {
    const { activationStart } = performance.getEntriesByType('navigation')[0];
    fetch('/said', { method: 'POST', body: JSON.stringify({ activationStart }) });
  });`;

const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };

describe('a page', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    // The rig's browser has no back/forward cache unless asked for.
    browser = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    const page = packagePage(gate.url, WRITE_KEY);
    site = await serveSite({
      '/': page,
      '/prerendered': page.replace('window.attune.ready', `${PRERENDERED}\n  window.attune.ready`),
      '/waiting': packagePage(gate.url, WRITE_KEY, { consent: UNKNOWN }),
      '/before': PRERENDERING,
      '/may-go': 'yes',
      '/other': '<!doctype html><title>Other</title>',
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

  const visitor = (body) => asVisitor(browser, body);
  /** The types of all events that the collector counts. */
  const collectedTypes = () =>
    collector
      .dump()
      .filter(Boolean)
      .map((line) => JSON.parse(line).event_type);
  const logged = async (type) => collectedTypes().filter((one) => one === type).length;
  const counted = async () => (await collector.summary()).signals.category_views ?? 0;
  const arrive = async (count) => {
    assert.equal(await eventually(counted, (views) => views >= count), count);
  };
  /** How many events of a category each request has brought, once no more follow. */
  const broughtOf = async (category) => {
    await new Promise((done) => setTimeout(done, QUIET_MS));
    const batches = gate.posted.map((text) => JSON.parse(text).events ?? []);
    const counts = batches.map(
      (events) => events.filter(({ metadata }) => metadata?.category === category).length,
    );
    return counts.filter(Boolean);
  };
  it('that is closed in the task that tracks delivers all the same, and again only with the page that returns', () =>
    visitor(async (context) => {
      const before = await counted();
      const opener = await context.newPage();
      await opener.goto(`${site.url}/other`);
      // Only what a script has opened may close itself.
      const opening = context.waitForEvent('page');
      await opener.evaluate(() => void window.open('/'));
      const page = await opening;
      await page.waitForSelector('html[data-ready=yes]');
      await page
        .evaluate(() => {
          for (let call = 0; call < 20; call += 1)
            window.attune.track('product_view', { category: 'closed' });
          window.close();
        })
        .catch(() => {});
      await arrive(before + 20);
      assert.ok(page.isClosed());
      assert.deepEqual(await broughtOf('closed'), [20]);
      await openPage(context, site.url);
      assert.deepEqual(await broughtOf('closed'), [20, 20]);
      assert.equal(await counted(), before + 20);
    }));

  it('that leaves while what it sends is being compressed sends it once', () =>
    visitor(async (context) => {
      const before = await counted();
      const page = await openPage(context, site.url);
      await page.evaluate(async () => {
        for (let call = 0; call < 20; call += 1) window.attune.track('product_view', { category: 'packed' });
        // The request begins behind this task, and waits for the compressor then.
        await undefined;
        document.dispatchEvent(new Event('freeze'));
      });
      await arrive(before + 20);
      assert.deepEqual(await broughtOf('packed'), [20]);
    }));

  it('that navigates in the task that tracks delivers all the same', () =>
    visitor(async (context) => {
      const before = await counted();
      const page = await openPage(context, site.url);
      await page
        .evaluate(() => {
          for (let call = 0; call < 20; call += 1) window.attune.track('product_view', { category: 'gone' });
          location.href = '/other';
        })
        .catch(() => {});
      await arrive(before + 20);
    }));

  for (const turn of ['pagehide', 'visibilitychange', 'unload']) {
    for (const isUp of [true, false]) {
      const when = isUp
        ? 'at once, where nothing is under way'
        : 'with the page that returns, where the collector was busy';
      it(`delivers what a site tracks in its own ${turn} handler ${when}`, () =>
        visitor(async (context) => {
          const page = await openPage(context, `${site.url}/`);
          const views = await logged('product_view');
          await view(page, 'before');
          await eventually(
            () => logged('product_view'),
            (count) => count > views,
          );
          // Behind a request that is under way, what comes at the end is left to the page that returns.
          await page.waitForTimeout(QUIET_MS);
          await page.evaluate((turn) => {
            const track = () => {
              // Longer than what leaves uncompressed.
              const note = Array.from({ length: 200 }, (_, place) => place).join();
              if (turn !== 'visibilitychange' || document.hidden)
                window.attune.track('time_on_page', { note });
            };
            (turn === 'visibilitychange' ? document : window).addEventListener(turn, track);
          }, turn);
          const before = await logged('time_on_page');
          if (!isUp) gate.refuse = { status: 503, retryAfter: '' };
          await page.goto(`${site.url}/other`);
          if (!isUp) {
            await page.waitForTimeout(QUIET_MS);
            gate.refuse = undefined;
            await page.goto(`${site.url}/`);
          }
          await eventually(
            () => logged('time_on_page'),
            (count) => count > before,
          );
          await page.waitForTimeout(QUIET_MS);
          assert.equal(await logged('time_on_page'), before + 1);
        }));
    }
  }

  it('is kept in the back/forward cache, and comes back with a lane of its own', () =>
    visitor(async (context) => {
      const before = await counted();
      const page = await openPage(context, site.url);
      await page.evaluate(() => {
        window.persisted = [];
        addEventListener('pageshow', (event) => persisted.push(event.persisted));
      });
      await view(page, 'hats', 2);
      const lane = () =>
        page.evaluate(async () => {
          const { inspect } = await import('/attune/devtools.js');
          return inspect(window.attune).lane;
        });
      const first = await lane();
      await page.goto(`${site.url}/other`);
      await page.goBack({ waitUntil: 'commit' });
      await page.waitForFunction(() => window.persisted.length > 0);
      assert.deepEqual(await page.evaluate(() => window.persisted), [true]);
      await view(page, 'hats', 3);
      assert.notEqual(await lane(), first);
      await arrive(before + 5);
      await page.waitForFunction(() => window.attune.signal('category_views', 'hats') === 5);
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    }));

  for (const [what, said] of [
    ['a no', () => window.attune.consent({ analytics: 'denied', personalization: 'denied' })],
    ['a wish to be forgotten', () => window.attune.forget()],
  ]) {
    it(`does not come back out of the cache as it was before ${what} that was said meanwhile`, () =>
      visitor(async (context) => {
        const page = await openPage(context, site.url);
        await view(page, 'hats', 3);
        await headline(page, 'Picked for you');
        const member = () => localStorage.getItem('attune/e2e/member');
        const before = await page.evaluate(member);
        await page.goto(`${site.url}/other`);
        const other = await openPage(context, site.url);
        await headline(other, 'Picked for you');
        await other.evaluate(said);
        await headline(other, 'Welcome');
        // Browsers give a page up whose database is deleted while it is away, and load it anew.
        await page.goBack({ waitUntil: 'commit' });
        await page.waitForSelector('html[data-ready=yes]');
        await headline(page, 'Welcome');
        await view(page, 'hats');
        await page.waitForTimeout(300);
        assert.notEqual(await page.evaluate(member), before);
      }));
  }

  for (const [what, said, expected] of [
    [
      'a partial no',
      () => window.attune.consent({ personalization: 'denied' }),
      { user: 'ada', privacy: 'denied' },
    ],
    ['a logout', () => window.attune.reset(), { isNew: true }],
    ['another login', () => window.attune.identify('bob'), { user: 'bob', isNew: true }],
  ]) {
    it(`that comes back out of the cache takes in ${what} that was said meanwhile`, () =>
      visitor(async (context) => {
        const page = await openPage(context, site.url);
        await page.evaluate(() => {
          window.persisted = [];
          addEventListener('pageshow', (event) => persisted.push(event.persisted));
          window.attune.identify('ada');
        });
        await view(page, 'hats');
        const before = await page.evaluate(() => localStorage.getItem('attune/e2e/member'));
        await page.goto(`${site.url}/other`);
        const other = await openPage(context, site.url);
        await other.evaluate(said);
        // It is stored within 50 ms.
        await other.waitForTimeout(300);
        gate.posted.length = 0;
        await page.goBack({ waitUntil: 'commit' });
        await page.waitForFunction(() => window.persisted.length > 0);
        assert.deepEqual(await page.evaluate(() => window.persisted), [true]);
        await page.waitForTimeout(300);
        await page.evaluate(() => window.attune.track('back'));
        const sent = () => gate.posted.map((text) => JSON.parse(text));
        const isBack = ({ event_type }) => event_type === 'back';
        const [batch] = await eventually(
          () => sent().filter(({ events }) => events?.some(isBack)),
          (batches) => batches.length > 0,
        );
        const event = batch.events.find(isBack);
        const found = {
          user: event.user_id,
          isNew: (event.anonymous_id ?? batch.anonymous_id) !== before || undefined,
          privacy: batch.context?.privacy?.personalization,
        };
        assert.deepEqual(found, { user: undefined, isNew: undefined, privacy: undefined, ...expected });
      }));
  }

  for (const [what, say] of [
    ['a no', () => window.attune.consent({ analytics: 'denied', personalization: 'denied' })],
    ['a wish to be forgotten', () => window.attune.forget()],
  ]) {
    it(`that waits for consent keeps nothing of before ${what} that was said while it was in the cache`, () =>
      visitor(async (context) => {
        const page = await openPage(context, `${site.url}/waiting`);
        await page.evaluate((type) => window.attune.track(type), 'waited');
        await page.goto(`${site.url}/other`);
        const other = await openPage(context, `${site.url}/waiting`);
        await other.evaluate(say);
        await other.waitForTimeout(300);
        await page.goBack({ waitUntil: 'commit' });
        await page.waitForSelector('html[data-ready=yes]');
        await page.evaluate(() => {
          window.attune.consent({ analytics: 'granted', personalization: 'granted' });
          window.attune.track('agreed');
        });
        await eventually(
          () => logged('agreed'),
          (count) => count > 0,
        );
        await page.waitForTimeout(300);
        assert.equal(await logged('waited'), 0);
      }));
  }

  it('that the browser freezes leaves what it has to other tabs, and goes on with another lane', () =>
    visitor(async (context) => {
      const before = await counted();
      const page = await openPage(context, site.url);
      const other = await openPage(context, site.url);
      // Chromium freezes hidden pages only, and one that is driven is never hidden: it hears what it would hear.
      const turn = (name) => page.evaluate((name) => document.dispatchEvent(new Event(name)), name);
      /** How many pages hold the two lanes. */
      const holders = () =>
        other.evaluate(async () => {
          const { held } = await navigator.locks.query();
          const lanes = held.filter(({ name }) => name.includes('/lane/'));
          return [lanes.length, new Set(lanes.map(({ clientId }) => clientId)).size].join();
        });
      const areHeld = (expected) => eventually(holders, (found) => found === expected);
      await areHeld('2,2');
      await collector.stop();
      await view(page, 'hats', 2);
      await turn('freeze');
      // The lane of the frozen page is the other one's now.
      await areHeld('2,1');
      await collector.start();
      await other.evaluate(() => window.attune.flush());
      await arrive(before + 2);
      await turn('resume');
      await view(page, 'hats', 3);
      await arrive(before + 5);
      await page.waitForFunction(() => window.attune.signal('category_views', 'hats') === 5);
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    }));

  it('that is prerendered counts and sends nothing until somebody looks at it', async () => {
    const before = await counted();
    const asked = gate.asked.length;
    let mayGo;
    const looked = new Promise((resolve) => {
      mayGo = resolve;
    });
    site.awaited = (path) => (path === '/may-go' ? looked : undefined);
    // Whatever drives a browser keeps it from prerendering, so these pages drive themselves.
    await besideAlone(`${site.url}/before`, async () => {
      const said = (count) =>
        eventually(
          () => site.said,
          (said) => said.length >= count,
        );
      const [{ stored }] = await said(1);
      assert.deepEqual([stored, gate.asked.slice(asked), await counted()], [[0, 0], [], before]);
      mayGo();
      const [, { activationStart }] = await said(2);
      assert.ok(activationStart > 0, 'the page was not prerendered');
      await arrive(before + 1);
    });
  });
});
