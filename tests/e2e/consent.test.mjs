/** What is stored and requested before a visitor has agreed: nothing that knows of the visitor. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { asVisitor, headline, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { consentRules, thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const snippet = readFileSync(join(import.meta.dirname, '../../sdk-wasm/dist/script/snippet.html'), 'utf8');
const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };
/** A page whose own filter drops one type of events and marks all others. */
const JUDGING = `init({ beforeSend: ({ event_type, metadata }) => event_type === 'secret' ? null : { metadata: { ...metadata, judged: true } }, `;

describe('before a visitor has agreed', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start({ ...consentRules(), signals: thirdViewRules().signals });
    gate = await openGate(collector.url);
    const page = (options) => packagePage(gate.url, WRITE_KEY, options);
    const tag = (file, attributes, more = '') => `<!doctype html><html lang="en"><title>Fixture</title>
      <script src="/sdk/${file}" data-write-key="${WRITE_KEY}" data-collector="${gate.url}"
        data-autocapture="pageViews clicks webVitals" ${attributes}></script>${more}
      <h1 id="headline">Welcome</h1><button id="buy">Buy</button></html>`;
    const said = 'data-strict data-consent="functional"';
    const init = `<script>attune.init(${JSON.stringify({ strict: true, consent: UNKNOWN, collector: gate.url })})</script>`;
    const pasted = snippet.replace('{{script}}', '/sdk/attune.js').replace('{{write_key}}', WRITE_KEY);
    site = await serveSite({
      '/strict-tag': tag('attune.js', said),
      // What may be a mistake is told by a file of its own.
      '/strict-mistaken': tag('attune.js', `${said} data-slots="headline"`),
      '/strict-loader': tag('loader.js', said),
      '/strict-tag-init': tag('attune.js', 'data-manual', init),
      '/strict-loader-init': tag('loader.js', 'data-manual', init),
      '/strict-snippet': `<!doctype html><html lang="en"><title>Fixture</title>${pasted}${init}
        <h1 id="headline">Welcome</h1></html>`,
      '/agreed-loader': tag('loader.js', 'data-strict'),
      '/': page({ consent: UNKNOWN }),
      '/strict': page({ consent: UNKNOWN, strict: true }),
      '/denied': page({ consent: { analytics: 'denied', personalization: 'denied' } }),
      '/open': page({}),
      '/cookieless': page({ cookieless: true }),
      '/agreed': page({ strict: true }),
      '/judging': page({}).replace('init({', JUDGING),
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

  const visitor = (body) => {
    gate.asked.length = 0;
    return asVisitor(browser, body);
  };
  /** What the page's site and the collector have stored in the browser, counted by where it is. */
  const storedBy = async (page) => ({
    ...(await page.evaluate(async () => ({
      databases: (await indexedDB.databases()).length,
      localStorage: localStorage.length,
      sessionStorage: sessionStorage.length,
      caches: (await caches.keys()).length,
    }))),
    cookies: (await page.context().cookies()).length,
  });
  const stored = async (page) => Object.values(await storedBy(page)).reduce((sum, count) => sum + count, 0);
  /** A database is deleted only once every tab has closed it. */
  const isEmpty = async (page) => {
    await eventually(
      () => stored(page),
      (count) => count === 0,
    );
    await page.waitForTimeout(300);
    assert.equal(await stored(page), 0);
  };
  const counted = (paths) => {
    const counts = {};
    for (const path of paths) counts[path] = (counts[path] ?? 0) + 1;
    return counts;
  };
  /** Says at a step of a visit what is stored and how often the collector was asked for what. */
  const tell = async (t, step, page) => {
    const counts = { stored: await storedBy(page), requests: counted(gate.asked) };
    t.diagnostic(`${step}: ${JSON.stringify(counts)}`);
    return counts;
  };
  const track = (page, count) =>
    page.evaluate((count) => {
      for (let call = 0; call < count; call += 1) window.attune.track('product_view', { category: 'lamps' });
    }, count);
  const events = async () => (await collector.summary()).events;
  /** Leaves a page that has something to say at its end, which is not to be taken for the next page's. */
  const leave = async (page) => {
    await page.goto('about:blank');
    await page.waitForTimeout(300);
  };
  const agree = (page, said) => page.evaluate((said) => window.attune.consent(said), said);

  it('nothing is stored and nothing is sent but for the bundle, while rules on context work', (t) =>
    visitor(async (context) => {
      const before = await events();
      const page = await openPage(context, `${site.url}/`);
      const step = async (name) => {
        const counts = await tell(t, name, page);
        assert.deepEqual(new Set(Object.values(counts.stored)), new Set([0]), name);
        assert.deepEqual(Object.keys(counts.requests), ['/v1/bundle'], name);
      };
      await headline(page, 'For everybody');
      await step('page opened and decided');
      await track(page, 3);
      await page.waitForTimeout(150);
      await step('3 events tracked');
      await page.evaluate(() => window.attune.identify('ann@example.com'));
      await page.waitForTimeout(150);
      await step('identified');
      await page.evaluate(() => window.attune.flush());
      await page.waitForTimeout(500);
      await step('flushed');
      // Leaving changes nothing.
      await page.goto(`${site.url}/strict`);
      await page.waitForTimeout(300);
      await step('left for a strict page');
      assert.equal(await events(), before);
    }));

  it('strict pages request nothing at all', (t) =>
    visitor(async (context) => {
      const page = await context.newPage();
      const requested = [];
      page.on('request', (request) => requested.push(new URL(request.url()).pathname));
      await page.goto(`${site.url}/strict`);
      await track(page, 3);
      await page.waitForTimeout(500);
      await tell(t, `strict page with 3 events tracked, which has loaded ${requested.join(' and ')}`, page);
      assert.deepEqual([gate.asked, requested], [[], ['/strict', '/attune/index.js']]);
      assert.equal(await stored(page), 0);
      await agree(page, { personalization: 'granted' });
      await headline(page, 'For you');
      await leave(page);
    }));

  for (const [path, ...files] of [
    ['/strict-tag', /^attune\.js$/],
    ['/strict-mistaken', /^attune\.js$/],
    ['/strict-loader', /^loader\.js$/, /^behind-loader-\w+\.js$/],
    ['/strict-tag-init', /^attune\.js$/],
    ['/strict-loader-init', /^loader\.js$/, /^behind-loader-\w+\.js$/],
    ['/strict-snippet', /^attune\.js$/],
  ]) {
    it(`strict pages request nothing beside the page’s own script: ${path}`, () =>
      visitor(async (context) => {
        gate.posted.length = 0;
        const page = await context.newPage();
        const requested = [];
        page.on('request', (request) => requested.push(new URL(request.url()).pathname));
        await page.goto(site.url + path);
        await page.waitForFunction(() => window.attune.isShutDown === false);
        await page.waitForTimeout(500);
        const [own, ...scripts] = requested;
        assert.equal(own, path);
        assert.deepEqual(gate.asked, []);
        assert.equal(scripts.length, files.length, scripts.join());
        for (const [place, file] of files.entries())
          assert.match(scripts[place], RegExp(`^/sdk/${file.source.slice(1)}`));
        assert.equal(await stored(page), 0);
        await agree(page, { analytics: 'granted', personalization: 'granted' });
        await headline(page, 'For you');
        if (path === '/strict-snippet') return;
        await eventually(
          () => requested.join(),
          (all) => /autocapture-/.test(all) && /web-vitals-/.test(all),
        );
        await page.click('#buy');
        await page.evaluate(() => window.attune.flush());
        const types = () =>
          gate.posted.flatMap((text) => JSON.parse(text).events ?? []).map(({ event_type }) => event_type);
        await eventually(types, (found) => found.includes('page_view') && found.includes('click'));
        await leave(page);
      }));
  }

  it('strict pages with the loader ask for all at once where it has agreed from the start', () =>
    visitor(async (context) => {
      const page = await context.newPage();
      await page.goto(`${site.url}/agreed-loader`);
      await headline(page, 'For you');
      assert.equal(await page.evaluate(() => document.querySelectorAll('link[rel=preload]').length), 1);
    }));

  it('strict pages wait for nothing where it has agreed from the start', () =>
    visitor(async (context) => {
      await headline(await openPage(context, `${site.url}/agreed`), 'For you');
    }));

  it('events wait in memory, and are delivered as they were once it has', (t) =>
    visitor(async (context) => {
      const before = await events();
      const page = await openPage(context, `${site.url}/`);
      await track(page, 3);
      await page.evaluate(() => window.attune.identify('ann'));
      await tell(t, '4 events wait, before the grant', page);
      await agree(page, { analytics: 'granted' });
      const arrived = await eventually(events, (count) => count >= before + 4);
      assert.equal(arrived, before + 4);
      await tell(t, '4 events delivered, behind the grant', page);
      assert.ok((await stored(page)) > 0);
      await track(page, 1);
      await eventually(events, (count) => count >= before + 5);
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    }));

  it('what is denied is dropped, and what was stored under an earlier yes is deleted', () =>
    visitor(async (context) => {
      const before = await events();
      const page = await openPage(context, `${site.url}/open`);
      await collector.stop();
      await track(page, 3);
      await page.waitForTimeout(150);
      assert.ok((await stored(page)) > 0);
      const other = await openPage(context, `${site.url}/open`).catch(() => undefined);
      await agree(page, { analytics: 'denied', personalization: 'denied' });
      await track(page, 2);
      await isEmpty(page);
      await collector.start();
      await page.evaluate(() => window.dispatchEvent(new Event('online')));
      await page.waitForTimeout(500);
      await page.goto(`${site.url}/denied`);
      await track(page, 2);
      await page.waitForTimeout(300);
      assert.deepEqual([await stored(page), await events()], [0, before]);
      await other?.close();
    }));

  for (const between of ['a no', 'a no and a wish to be forgotten']) {
    it(`a yes behind ${between} begins anew: what follows is delivered and counts`, () =>
      visitor(async (context) => {
        const before = await events();
        const page = await openPage(context, `${site.url}/open`);
        await track(page, 3);
        await eventually(events, (count) => count === before + 3);
        // Its events are erased at the collector, too.
        const kept = between === 'a no' ? 3 : 0;
        if (!kept) await page.evaluate(() => window.attune.forget());
        await agree(page, { analytics: 'denied', personalization: 'denied' });
        await agree(page, { analytics: 'granted', personalization: 'granted' });
        await track(page, 2);
        await eventually(events, (count) => count === before + kept + 2);
        await page.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 2);
        assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
      }));
  }

  it('what follows a yes that is taken back, but no no, waits for the next yes, in all tabs', () =>
    visitor(async (context) => {
      const page = await openPage(context, `${site.url}/judging`);
      const other = await openPage(context, `${site.url}/judging`);
      const before = await events();
      await track(page, 1);
      await eventually(events, (count) => count === before + 1);
      gate.posted.length = 0;
      await agree(page, UNKNOWN);
      await page.waitForTimeout(100);
      await track(page, 2);
      await other.evaluate(() => window.attune.track('product_view', {}, { priority: 'critical' }));
      await page.evaluate(() => window.attune.track('secret'));
      await page.waitForTimeout(500);
      assert.deepEqual([await events(), gate.posted], [before + 1, []]);
      await agree(other, { analytics: 'granted' });
      await eventually(events, (count) => count === before + 4);
      const sent = gate.posted.flatMap((body) => JSON.parse(body).events);
      assert.deepEqual([...new Set(sent.map(({ event_type }) => event_type))], ['product_view']);
      for (const { session_id, metadata } of sent) {
        assert.match(session_id, /^[\da-f-]{36}$/);
        assert.equal(metadata.judged, true);
      }
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    }));

  it('forgetting deletes what is stored and what waits, and begins anew', () =>
    visitor(async (context) => {
      const before = await events();
      const page = await openPage(context, `${site.url}/open`);
      const member = () => page.evaluate(() => localStorage.getItem('attune/e2e/member'));
      const first = await member();
      await collector.stop();
      await track(page, 3);
      await page.waitForTimeout(150);
      await page.evaluate(() => window.attune.forget());
      await collector.start();
      await track(page, 1);
      await page.evaluate(() => window.dispatchEvent(new Event('online')));
      await eventually(events, (count) => count > before);
      await page.waitForTimeout(300);
      assert.equal(await events(), before + 1);
      assert.notEqual(await member(), first);
    }));

  it('forgetting also stops what is being compressed', () =>
    visitor(async (context) => {
      const page = await openPage(context, `${site.url}/open`);
      const before = await events();
      await page.evaluate(async () => {
        for (let call = 0; call < 50; call += 1) window.attune.track('product_view', { category: 'lamps' });
        // The batch is cut behind this task, and too large to leave in it.
        await Promise.resolve();
        window.attune.forget();
      });
      await page.waitForTimeout(500);
      assert.equal(await events(), before);
      await track(page, 1);
      await eventually(events, (count) => count > before);
      assert.equal(await events(), before + 1);
    }));

  let people = 0;
  const whoIs = (page) =>
    page.evaluate(async () => {
      const { inspect } = await import('/attune/devtools.js');
      const { member, user_id } = inspect(window.attune);
      return [member, user_id];
    });
  /** Leaves a visitor with a name and events behind, as an earlier page load. */
  async function known(context) {
    const page = await openPage(context, `${site.url}/open`);
    // A user of one's own: profiles of one user are one.
    people += 1;
    await page.evaluate((name) => window.attune.identify(name), `alice-${people}`);
    await track(page, 2);
    await page.waitForTimeout(150);
    const [member] = await whoIs(page);
    await page.goto('about:blank');
    return [page, member];
  }

  for (const [name, early] of [
    ['at once', 'attune.forget()'],
    ['a little later', 'setTimeout(() => attune.forget(), 5)'],
  ]) {
    it(`forgetting before the page has started forgets who it was, ${name}`, () =>
      visitor(async (context) => {
        const [page, before] = await known(context);
        await page.route('**/forget', (route) => {
          const body = packagePage(gate.url, WRITE_KEY).replace(
            'window.attune.ready',
            `${early};\n  window.attune.ready`,
          );
          return route.fulfill({ contentType: 'text/html', body });
        });
        await page.goto(`${site.url}/forget`);
        await page.waitForSelector('html[data-ready=yes]');
        await track(page, 1);
        await page.waitForTimeout(300);
        const [member, user] = await whoIs(page);
        assert.notEqual(member, before);
        assert.equal(user, null);
      }));
  }

  it('a page that begins with a no deletes what an earlier yes has stored', () =>
    visitor(async (context) => {
      const [page] = await known(context);
      await page.goto(`${site.url}/denied`);
      await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
      assert.equal(await stored(page), 0);
    }));

  it('a late yes goes on with the session of the pages before', () =>
    visitor(async (context) => {
      const [page] = await known(context);
      await page.goto(`${site.url}/`);
      await page.waitForSelector('html[data-ready=yes]');
      await track(page, 1);
      await agree(page, { analytics: 'granted', personalization: 'granted' });
      await page.waitForFunction(() => window.attune.signal('category_views', 'lamps') === 3);
    }));

  const NO = { analytics: 'denied', personalization: 'denied' };
  /** Opens a page of a visitor who has agreed; `held` is what it asks for in vain until that is let go. */
  async function agreed(context, held) {
    const page = await context.newPage();
    let letGo;
    const waits = new Promise((done) => {
      letGo = done;
    });
    if (held) await page.route(held, (route) => waits.then(() => route.continue().catch(() => {})));
    await page.goto(`${site.url}/open`);
    return [page, letGo];
  }
  /** A page that has heard the no takes nothing any more, and leaves nothing to be sent. */
  async function takesNothing(page) {
    await headline(page, 'For everybody');
    const before = await events();
    await track(page, 2);
    await isEmpty(page);
    await page.goto('about:blank');
    await page.waitForTimeout(300);
    assert.equal(await events(), before);
  }

  it('a no that comes before the page has started reaches the other tabs', () =>
    visitor(async (context) => {
      const [open] = await agreed(context);
      await headline(open, 'For you');
      const [other] = await agreed(context);
      await agree(other, NO);
      await takesNothing(open);
    }));

  it('a no reaches the other tabs from a page that is closed before its core has come', () =>
    visitor(async (context) => {
      const [open] = await agreed(context);
      await headline(open, 'For you');
      const [other] = await agreed(context, '**/*.wasm');
      await agree(other, NO);
      await other.close();
      await takesNothing(open);
    }));

  it('a no reaches a tab before its core has come', () =>
    visitor(async (context) => {
      const [open, letGo] = await agreed(context, '**/*.wasm');
      await track(open, 2);
      const [other] = await agreed(context);
      await headline(other, 'For you');
      await agree(other, NO);
      await headline(other, 'For everybody');
      letGo();
      await takesNothing(open);
    }));

  it('a no reaches a tab whose part that follows the others never comes', () =>
    visitor(async (context) => {
      const [open] = await agreed(context, '**/background*.js');
      await headline(open, 'For you');
      await track(open, 1);
      const [other] = await agreed(context);
      await agree(other, NO);
      await takesNothing(open);
    }));

  it('a page without cookies stores nothing and delivers all the same', () =>
    visitor(async (context) => {
      const before = await events();
      const page = await openPage(context, `${site.url}/cookieless`);
      await track(page, 3);
      await eventually(events, (count) => count >= before + 3);
      assert.equal(await stored(page), 0);
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    }));

  it('Global Privacy Control denies personalization, and the collector hears of it', () =>
    visitor(async (context) => {
      await context.addInitScript(() => {
        Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });
      });
      const page = await openPage(context, `${site.url}/open`);
      await headline(page, 'For everybody');
      const posted = page.waitForRequest((request) => request.url().includes('/v1/events'));
      await track(page, 1);
      const { context: told } = JSON.parse((await posted).postData());
      assert.deepEqual(told.privacy, {
        functional: 'granted',
        analytics: 'granted',
        personalization: 'denied',
        gpc: true,
      });
    }));
});
