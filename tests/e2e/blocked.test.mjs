/** A page whose requests get no answer, as where an extension blocks them: what it asks, and what stands on its console. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { asVisitor, openBrowser, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const REFUSING = { 'content-security-policy': "script-src 'self' 'unsafe-inline'" };

for (const [how, headers] of [
  ['with its core', {}],
  ['without WebAssembly', REFUSING],
]) {
  describe(`a blocked page ${how}`, () => {
    let browser;
    let collector;
    let site;
    before(async () => {
      browser = await openBrowser();
    });
    after(() => browser.close());
    beforeEach(async () => {
      collector = await Collector.start(thirdViewRules());
      const page = packagePage(collector.url, WRITE_KEY, { withoutWasm: ['product_view'] });
      site = await serveSite({ '/': page }, headers);
      await collector.stop();
    });
    afterEach(async () => {
      await site.close();
      await collector.remove();
    });

    /** Opens a page by a clock of the test's own; keeps what it asks the collector and the errors on its console. */
    const open = async (context) => {
      const page = await context.newPage();
      const asked = [];
      const lines = [];
      let failed = 0;
      const isOurs = (request) => request.url().startsWith(collector.url);
      page.on('request', (request) => isOurs(request) && asked.push(request.url()));
      page.on('requestfailed', (request) => {
        failed += isOurs(request);
      });
      page.on('console', (message) => message.type() === 'error' && lines.push(message.text()));
      await page.clock.install();
      await page.goto(site.url);
      await page.waitForFunction(() => window.attune);
      /** How much it asks from an act on, within minutes. */
      const asks = async (minutes, act = () => {}) => {
        const before = asked.length;
        await act();
        for (let step = 0; step < minutes * 4; step += 1) {
          await page.clock.runFor(15_000);
          await page.evaluate(() => new Promise((done) => setImmediateOf(done)));
          // A clock that runs ahead of what is on its way would reach the time at which requests are given up.
          await eventually(
            () => asked.length - failed,
            (open) => !open,
          );
          await page.evaluate(() => new Promise((done) => setImmediateOf(done)));
        }
        return asked.length - before;
      };
      // A task of its own that no clock of a test stands for.
      await page.evaluate(() => {
        window.setImmediateOf = (done) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = done;
          port2.postMessage(0);
        };
      });
      return { page, asked, lines, asks };
    };
    const turn = (page, isHidden) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      }, isHidden);
    const codes = (page) => page.evaluate(() => window.attuneErrors.map((text) => text.split(':')[0]));

    it('asks a few times, and once more after five minutes, in hours; each is one line on the console', () =>
      asVisitor(browser, async (context) => {
        const { page, asked, lines, asks } = await open(context);
        await view(page, 'hats', 3);
        await asks(3);
        // The third one and a fourth may be on their way at once; the first batch is asked for with `keepalive` and without.
        assert.ok(asked.length >= 3 && asked.length <= 5, `${asked}`);
        await view(page, 'hats', 3);
        assert.equal(await asks(120), 1);
        const seen = async () => {
          for (const isHidden of [true, false, true, false]) await turn(page, isHidden);
        };
        assert.equal(await asks(20, seen), 1, 'it is seen again');
        const online = () => page.evaluate(() => dispatchEvent(new Event('online')));
        assert.equal(await asks(20, online), 1, 'it is online');
        const flush = () => page.evaluate(() => window.attune.flush());
        assert.equal(await asks(20, flush), 1, 'somebody wants everything sent');
        const isOfRequest = (line) => line.includes('ERR_CONNECTION_REFUSED');
        const ofRequests = await eventually(
          () => lines.filter(isOfRequest).length,
          (count) => count >= asked.length,
        );
        assert.equal(ofRequests, asked.length);
        // Beside the site's own: it has no icon, and its policy may refuse WebAssembly.
        const isOfSite = (line) => line.includes('404') || line.includes('wasm-unsafe-eval');
        assert.deepEqual(
          lines.filter((line) => !isOfRequest(line) && !isOfSite(line)),
          [],
        );
        assert.equal((await codes(page)).filter((code) => code === 'collector_blocked').length, 1);
      }));

    it('has the pages that follow ask once each, and delivers everything once requests get through', () =>
      asVisitor(browser, async (context) => {
        const first = await open(context);
        await view(first.page, 'hats', 3);
        await first.asks(3);
        for (let count = 0; count < 2; count += 1) {
          await first.page.close();
          const { page, asked, asks } = await open(context);
          await view(page, 'bags', 1);
          await asks(60);
          assert.equal(asked.length, 1, `${asked}`);
          assert.deepEqual(
            (await codes(page)).filter((code) => code === 'collector_blocked'),
            ['collector_blocked'],
          );
          Object.assign(first, { page, asks });
        }
        await collector.start();
        await first.page.evaluate(() => window.attune.flush());
        const counted = async () => (await collector.summary()).signals.category_views ?? 0;
        assert.equal(await eventually(counted, (views) => views >= 5), 5);
      }));
  });
}
