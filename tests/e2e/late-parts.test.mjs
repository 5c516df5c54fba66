/** What a page does before the parts have come that load behind it, and where they do not come. */

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const BACKGROUND = /\/background(-\w+)?\.js$/;
const RESTORE = /\/restore(-\w+)?\.js$/;
const PLAIN = /\/plain(-\w+)?\.js$/;
const CORE = /\/attune_\w+\.wasm$/;

/** The script tag's page, which keeps what tests ask for. */
const tagPage = (collectorUrl) => `<!doctype html>
<html lang="en">
<title>Tag</title>
<h1 id="headline">Welcome</h1>
<script src="/sdk/attune.js" data-write-key="${WRITE_KEY}" data-collector="${collectorUrl}"></script>
<script>
  window.attuneErrors = [];
  window.attune.onError((error) => window.attuneErrors.push(error.code));
  window.attune.ready.then(() => { document.documentElement.dataset.ready = 'yes'; });
</script>
</html>`;

describe('a page whose parts come late', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    site = await serveSite({
      '/': packagePage(gate.url, WRITE_KEY),
      '/tag': tagPage(gate.url),
      '/coreless': packagePage(gate.url, WRITE_KEY, { wasmUrl: '/none.wasm', withoutWasm: ['product_view'] }),
      '/late': packagePage(gate.url, WRITE_KEY, { withoutWasm: ['product_view'] }),
      '/loader': `<!doctype html><html lang="en"><title>Loader</title><h1 id="headline">Welcome</h1>
<script src="/sdk/loader.js" data-write-key="${WRITE_KEY}" data-collector="${gate.url}"></script></html>`,
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

  /**
   * Runs with a visitor of its own; `part` is asked for every request for the part of a name: it comes when that settles,
   * and not at all where that fails.
   */
  async function visitor(part, body, name = BACKGROUND) {
    const context = await browser.newContext();
    site.awaited = (path) => name.test(path) && part();
    try {
      await body(context);
    } finally {
      await context.close();
    }
  }
  const counted = async () => (await collector.summary()).signals.category_views ?? 0;
  const arrive = async (count) => {
    assert.equal(await eventually(counted, (views) => views >= count), count);
  };
  const batches = (from) => gate.posted.slice(from).map((text) => JSON.parse(text));
  /** Events that have left since so many bodies had, each as often as it has. */
  const sent = (from, type = 'product_view') =>
    batches(from).flatMap(({ events }) => events.filter(({ event_type }) => event_type === type));
  const dropped = (from) => Math.max(0, ...batches(from).map(({ dropped }) => dropped?.queue_full ?? 0));
  const never = () => new Promise(() => {});

  it('decides, and stores every event within 50 ms, without the part that delivers', () =>
    visitor(never, async (context) => {
      const page = await openPage(context, site.url);
      await view(page, 'hats', 3);
      await headline(page, 'Picked for you');
      await page.waitForTimeout(60);
      const stored = await page.evaluate(
        (name) =>
          new Promise((done) => {
            indexedDB.open(name).onsuccess = ({ target: { result } }) => {
              const request = result.transaction('entries').objectStore('entries').getAll();
              request.onsuccess = () => done(request.result.filter((entry) => entry.type === 'product_view'));
            };
          }),
        `attune/${WRITE_KEY}`,
      );
      assert.equal(stored.length, 3);
      const before = await counted();
      await page.goto(`${site.url}/other`);
      await arrive(before + 3);
    }));

  for (const [how, leave] of [
    ['closed', () => window.close()],
    ['left', () => location.assign('/other')],
  ]) {
    it(`delivers when it is ${how} without that part`, () =>
      visitor(never, async (context) => {
        const before = await counted();
        const opener = await context.newPage();
        await opener.goto(`${site.url}/other`);
        // Only what a script has opened may close itself.
        const [page] = await Promise.all([
          context.waitForEvent('page'),
          opener.evaluate(() => void window.open('/')),
        ]);
        await page.waitForSelector('html[data-ready=yes]');
        await view(page, 'hats', 4);
        await page.evaluate(leave).catch(() => {});
        await arrive(before + 4);
        assert.equal(page.isClosed(), how === 'closed');
      }));
  }

  it('hands what it has to the browser once, however often it is hidden before it leaves', () =>
    visitor(never, async (context) => {
      const before = await counted();
      const page = await openPage(context, site.url);
      await page.evaluate(() => {
        window.handed = 0;
        const { sendBeacon } = navigator;
        navigator.sendBeacon = (...all) => ++window.handed && sendBeacon.apply(navigator, all);
        Object.defineProperty(document, 'hidden', { value: true });
      });
      await view(page, 'hats', 2);
      const handed = await page.evaluate(() => {
        for (const name of ['visibilitychange', 'visibilitychange'])
          document.dispatchEvent(new Event(name, { bubbles: true }));
        dispatchEvent(new PageTransitionEvent('pagehide'));
        return window.handed;
      });
      assert.equal(handed, 1);
      await arrive(before + 2);
    }));

  it('tells once that the part does not load, tries again, and delivers then', () =>
    visitor(
      (() => {
        let failures = 2;
        return () => failures-- > 0 && Promise.reject(new Error('of a test'));
      })(),
      async (context) => {
        const before = await counted();
        const page = await openPage(context, `${site.url}/tag`);
        await view(page, 'hats', 2);
        await arrive(before + 2);
        await page.waitForFunction(() => window.attuneErrors.length > 0);
        assert.deepEqual(await page.evaluate(() => window.attuneErrors), ['part_unavailable']);
        // It is not its leaving that has delivered.
        assert.equal(await page.evaluate(() => window.attune.signal('category_views', 'hats')), 2);
      },
    ));

  it('forgets at once, and has the visitor erased when the part is there', () => {
    let comes = Promise.resolve();
    let come;
    return visitor(
      () => comes,
      async (context) => {
        const first = await openPage(context, site.url);
        await view(first, 'hats');
        const token = () => first.evaluate((key) => localStorage.getItem(key), `attune/${WRITE_KEY}/token`);
        assert.ok(await eventually(token, Boolean));
        await first.close();
        comes = new Promise((done) => {
          come = done;
        });
        const page = await openPage(context, site.url);
        const keys = () => page.evaluate(() => Object.keys(localStorage).map((key) => key.split('/')[0]));
        const member = await page.evaluate((key) => localStorage.getItem(key), `attune/${WRITE_KEY}/member`);
        await page.evaluate(() => window.attune.forget());
        assert.ok((await keys()).includes('attune-erase'));
        assert.notEqual(
          await page.evaluate((key) => localStorage.getItem(key), `attune/${WRITE_KEY}/member`),
          member,
        );
        come();
        assert.ok(await eventually(async () => !(await keys()).includes('attune-erase'), Boolean));
      },
    );
  });

  for (const [how, absent] of [
    ['fails', () => Promise.reject(new Error('of a test'))],
    ['never answers', never],
  ]) {
    it(`decides without what earlier pages have left where what takes it back ${how}, and leaves it to the next`, () => {
      let isThere = false;
      return visitor(
        async () => isThere || absent(),
        async (context) => {
          const before = await counted();
          await collector.stop();
          const first = await openPage(context, `${site.url}/tag`);
          await view(first, 'hats', 2);
          await first.waitForTimeout(100);
          await first.close();
          await collector.start();
          const page = await openPage(context, site.url);
          const errors = () => page.evaluate(() => window.attuneErrors.join());
          assert.match(await eventually(errors, Boolean), /^part_unavailable: what earlier pages have left/);
          await view(page, 'coats', 3);
          await headline(page, 'Picked for you');
          await arrive(before + 3);
          isThere = true;
          await page.goto(`${site.url}/tag`);
          await arrive(before + 5);
        },
        RESTORE,
      );
    });
  }

  it('delivers what it and earlier pages have stored where its core is not there', () =>
    visitor(
      never,
      async (context) => {
        const before = await counted();
        let page = await context.newPage();
        await page.goto(site.url);
        await view(page, 'hats', 2);
        await page.waitForTimeout(100);
        await page.close();
        page = await context.newPage();
        await page.goto(`${site.url}/coreless`);
        await page.waitForFunction(() => window.attune);
        await view(page, 'hats', 3);
        await arrive(before + 5);
        await page.waitForFunction(() => window.attuneErrors.length > 0);
        const [error, ...others] = await page.evaluate(() => window.attuneErrors);
        assert.match(error, /^wasm_unavailable: .*none\.wasm did not load: Error: status 404/);
        assert.deepEqual(others, []);
      },
      /\/attune_\w+\.wasm$/,
    ));

  it('delivers where its core never answers, and doubles nothing when that comes after all', () => {
    let come;
    const comes = new Promise((done) => {
      come = done;
    });
    return visitor(
      () => comes,
      async (context) => {
        const before = await counted();
        const from = gate.posted.length;
        const page = await context.newPage();
        await page.clock.install();
        await page.goto(`${site.url}/late`);
        await page.waitForFunction(() => window.attune);
        await view(page, 'hats', 2);
        await page.clock.runFor(29_000);
        assert.deepEqual([gate.posted.length, await page.evaluate(() => window.attuneErrors)], [from, []]);
        // Hidden, a page waits for nothing.
        await page.evaluate(() =>
          Object.defineProperty(document, 'hidden', { value: true, configurable: true }),
        );
        for (const ms of [2_000, 40_000]) {
          await page.clock.runFor(ms);
          await page.waitForTimeout(300);
        }
        assert.equal(gate.posted.length, from);
        await page.evaluate(() => delete document.hidden);
        await page.clock.runFor(31_000);
        await arrive(before + 2);
        come();
        await view(page, 'hats');
        await arrive(before + 3);
        await page.waitForTimeout(1_000);
        assert.equal(sent(from).length, 3);
        await page.waitForFunction(() => window.attuneErrors.length > 0);
        const [error, ...others] = await page.evaluate(() => window.attuneErrors);
        assert.match(error, /^wasm_unavailable: the WebAssembly has not come within a minute/);
        assert.deepEqual(others, []);
      },
      CORE,
    );
  });

  for (const [how, path, name] of [
    ['', '/', CORE],
    [', also without a core', '/coreless', PLAIN],
  ]) {
    it(`tells the collector how many calls it has given up before its start${how}`, () => {
      let come;
      const comes = new Promise((done) => {
        come = done;
      });
      return visitor(
        () => comes,
        async (context) => {
          const from = gate.posted.length;
          const page = await context.newPage();
          await page.goto(site.url + path);
          await page.waitForFunction(() => window.attune);
          await page.evaluate(() => {
            for (let call = 0; call < 1_100; call += 1) window.attune.track('product_view', { call });
          });
          come();
          const events = () => sent(from, 'product_view').length;
          const count = await eventually(events, (found) => found + dropped(from) >= 1_100);
          assert.ok(dropped(from) > 100, `${dropped(from)} of 1,100`);
          assert.equal(count + dropped(from), 1_100);
        },
        name,
      );
    });
  }

  it('tells the collector how many calls of earlier pages it has given up', () => {
    let come;
    const comes = new Promise((done) => {
      come = done;
    });
    return visitor(
      () => comes,
      async (context) => {
        const page = await context.newPage();
        for (let load = 0; load < 2; load += 1) {
          await page.goto(site.url);
          await page.waitForFunction(() => window.attune);
          await page.evaluate(() => {
            for (let call = 0; call < 450; call += 1)
              window.attune.track('product_view', { text: 'x'.repeat(1_000) });
          });
          await page.waitForTimeout(300);
          await page.goto(`${site.url}/other`);
        }
        const from = gate.posted.length;
        await page.goto(site.url);
        await page.waitForFunction(() => window.attuneErrors?.join().startsWith('buffer_full'));
        come();
        const events = () => sent(from, 'product_view').length;
        const count = await eventually(events, (found) => found + dropped(from) >= 900);
        assert.ok(dropped(from) > 300, `${dropped(from)} of 900`);
        assert.equal(count + dropped(from), 900);
      },
      CORE,
    );
  });

  it('stores no more than two mebibytes of calls where no core ever comes, the important ones among them', () =>
    visitor(
      never,
      async (context) => {
        const page = await context.newPage();
        const stored = () =>
          page.evaluate(
            (name) =>
              new Promise((done) => {
                indexedDB.open(name).onsuccess = ({ target: { result } }) => {
                  const request = result.transaction('entries').objectStore('entries').getAll();
                  request.onsuccess = () => {
                    const types = request.result.map((entry) => entry[1]?.type);
                    done([
                      JSON.stringify(request.result).length,
                      types.filter((type) => type === 'order').length,
                    ]);
                    result.close();
                  };
                };
              }),
            `attune/${WRITE_KEY}`,
          );
        for (let load = 0; load < 4; load += 1) {
          await page.goto(site.url);
          await page.waitForFunction(() => window.attune);
          await page.evaluate(() => {
            window.attune.track('order', {}, { priority: 'critical' });
            for (let call = 0; call < 450; call += 1) window.attune.track('e', { text: 'x'.repeat(1_000) });
          });
          await page.waitForTimeout(300);
          await page.goto(`${site.url}/other`);
          const [bytes, orders] = await stored();
          assert.ok(bytes < 2 * 1_024 * 1_024, `${bytes} bytes`);
          assert.equal(orders, load + 1);
        }
      },
      /\/attune_\w+\.wasm$/,
    ));

  it('leaves the next page nothing to paint where nobody has kept what it has decided', () => {
    let comes = true;
    return visitor(
      () => comes || never(),
      async (context) => {
        const page = await context.newPage();
        const record = () =>
          page.evaluate((key) => localStorage.getItem(key), `attune/${WRITE_KEY}/decisions`);
        const decided = () => page.waitForFunction(() => window.attune.ready?.then(() => true));
        await page.goto(`${site.url}/loader`);
        await decided();
        assert.ok(await eventually(record, Boolean));
        comes = false;
        await page.reload();
        await decided();
        assert.ok(await record(), 'it is the one of the page before');
        await page.goto(`${site.url}/other`);
        assert.equal(await record(), null);
      },
    );
  });
});
