/**
 * Pages that are left while a request is under way, and that share with other scripts the 64 KiB that browsers have for
 * requests that outlive a page.
 */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { asVisitor, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { listen } from './rig/listen.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Time in which a repeat would come. */
const QUIET_MS = 500;
/** What a browser has for requests that outlive a page. */
const ROOM_BYTES = 64 * 1_024;
const REFUSING = { 'content-security-policy': "script-src 'self' 'unsafe-inline'" };

for (const [how, headers] of [
  ['with its core', {}],
  ['without WebAssembly', REFUSING],
]) {
  describe(`a page ${how}`, () => {
    let browser;
    let collector;
    let gate;
    let site;
    /** A server that does not answer. */
    let slow;
    /** How many requests have reached it. */
    let waiting;
    /** Lets the batch go that the gate holds. */
    let release;
    before(async () => {
      browser = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
      collector = await Collector.start(thirdViewRules());
      gate = await openGate(collector.url);
      slow = await listen((request) => {
        request.resume();
        request.on('end', () => {
          waiting += 1;
        });
      });
      const page = packagePage(gate.url, WRITE_KEY, { withoutWasm: ['view', 'bought'] });
      site = await serveSite(
        {
          '/': page,
          '/no-later': page.replace('<title>', '<script>delete window.fetchLater</script><title>'),
          '/other': '<!doctype html><title>Other</title>',
        },
        headers,
      );
    });
    after(async () => {
      await browser.close();
      await site.close();
      await slow.close();
      await gate.close();
      await collector.remove();
    });
    beforeEach(() => {
      waiting = 0;
      gate.posted.length = 0;
      release = undefined;
    });

    const hold = () => {
      gate.held = new Promise((resolve) => {
        release = resolve;
      });
    };
    const open = async (context, path = '/') => {
      if (how === 'with its core') return openPage(context, site.url + path);
      const page = await context.newPage();
      await page.goto(site.url + path);
      await page.waitForFunction(() => window.attuneErrors?.length > 0);
      return page;
    };
    /** Has a script of the page use up the room but for so many bytes. */
    const occupy = async (page, leftBytes) => {
      await page.evaluate(
        ([url, bytes]) => {
          fetch(url, { method: 'POST', body: 'x'.repeat(bytes), keepalive: true }).catch(() => {});
        },
        [slow.url, ROOM_BYTES - leftBytes],
      );
      assert.equal(await eventually(() => waiting, Boolean), 1);
    };
    /** The types of all events of a run that the collector counts, in the order of their arrival. */
    const logged = (run) =>
      collector
        .dump()
        .filter(Boolean)
        .map((line) => JSON.parse(line))
        .filter(({ metadata }) => metadata?.run === run)
        .map(({ event_type }) => event_type);
    const arrive = async (run, count) => {
      const found = await eventually(
        async () => logged(run),
        (types) => types.length >= count,
      );
      assert.equal(found.length, count);
    };
    /** Another page brings what waits; nothing comes twice. */
    const settleAt = async (context, run, count) => {
      await open(context);
      await arrive(run, count);
      await new Promise((done) => setTimeout(done, QUIET_MS));
      assert.equal(logged(run).length, count);
    };

    for (const turn of ['pagehide', 'visibilitychange', 'unload']) {
      it(`delivers what a site tracks in its own ${turn} handler at once, behind a request that is under way`, () =>
        visitor(async (context) => {
          const run = `${how} ${turn}`;
          const page = await open(context);
          hold();
          await page.evaluate((run) => window.attune.track('view', { run }), run);
          await eventually(() => gate.held === undefined, Boolean);
          await page.evaluate(
            ([turn, run]) => {
              const track = () => {
                // Longer than what leaves uncompressed.
                const note = Array.from({ length: 200 }, (_, place) => place).join();
                if (turn !== 'visibilitychange' || document.hidden)
                  window.attune.track('bought', { run, note });
              };
              (turn === 'visibilitychange' ? document : window).addEventListener(turn, track);
            },
            [turn, run],
          );
          await page.goto(`${site.url}/other`);
          await arrive(run, 1);
          assert.deepEqual(logged(run), ['bought']);
          release();
          await arrive(run, 2);
          await settleAt(context, run, 2);
        }));
    }

    it('delivers while another script has used up that room, and does not take the collector for silent', () =>
      visitor(async (context) => {
        const run = `${how} open`;
        const page = await open(context);
        await occupy(page, 100);
        for (const count of [1, 2, 3, 4]) {
          await page.evaluate((run) => window.attune.track('view', { run }), run);
          await arrive(run, count);
        }
        const failures = () =>
          page.evaluate(async () => {
            const { inspect } = await import('/attune/devtools.js');
            return inspect(window.attune).queue.failures;
          });
        assert.equal(await failures(), 0);
        const errors = await page.evaluate(() => window.attuneErrors.map((text) => text.split(':')[0]));
        assert.ok(!errors.includes('collector_blocked'), `${errors}`);
      }));

    const leave = (page, run) =>
      page.evaluate((run) => {
        for (let call = 0; call < 30; call += 1) {
          // As good as nothing of it can be compressed.
          const note = Array.from(crypto.getRandomValues(new Uint8Array(100)), (byte) => byte).join('');
          window.attune.track('view', { run, note });
        }
        window.attune.track('bought', { run }, { priority: 'critical' });
        setTimeout(() => {
          location.href = '/other';
        }, 200);
      }, run);

    it('that is left then hands all of it to browsers that post it later', () =>
      visitor(async (context) => {
        const run = `${how} later`;
        const page = await open(context);
        await occupy(page, 100);
        hold();
        await leave(page, run);
        await page.waitForURL(`${site.url}/other`);
        await arrive(run, 31);
        release();
        await settleAt(context, run, 31);
      }));

    it('that is left then hands what is most urgent to others, as far as there is room', () =>
      visitor(async (context) => {
        const run = `${how} urgent`;
        const page = await open(context, '/no-later');
        await occupy(page, 2_500);
        hold();
        await leave(page, run);
        await page.waitForURL(`${site.url}/other`);
        // Which of two requests arrives first is the network's; were it not the first to go, there would be no room for it.
        await eventually(
          async () => logged(run),
          (types) => types.includes('bought'),
        );
        await new Promise((done) => setTimeout(done, QUIET_MS));
        const count = logged(run).length;
        assert.ok(count > 1 && count < 31, `${count}`);
        release();
        await settleAt(context, run, 31);
      }));

    const visitor = (body) => asVisitor(browser, body);
  });
}
