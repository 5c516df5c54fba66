/** The SDK's adapters of web APIs in a real browser, one at a time. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openBrowser } from './rig/browser.mjs';
import { bodyOf, serveParts } from './rig/parts.mjs';

const MODULES = [
  'browser/beacon.ts',
  'browser/binary.ts',
  'browser/entries.ts',
  'browser/gzip.ts',
  'browser/http.ts',
  'browser/locks.ts',
  'browser/storage.ts',
  'browser/stream.ts',
  'browser/timer.ts',
  'browser/turns.ts',
  'uuid.ts',
];

/** What the page posted, newest last. */
const posted = [];

const ANSWERS = {
  async '/posted'(request, response) {
    posted.push({ headers: request.headers, body: await bodyOf(request) });
    response.end('taken');
  },
  '/busy': (_, response) => response.writeHead(503, { 'retry-after': '7' }).end('later'),
  '/silent': () => {},
  '/stream'(_, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      'id: 5\nevent: hello\ndata: {"state":"gap"}\n\nevent: other\ndata: x\n\nid: 6\nevent: bundle\ndata: {}\n\n',
    );
    setTimeout(() => response.end(), 50);
  },
};

describe('the adapters', () => {
  let browser;
  let site;
  let context;
  let page;
  before(async () => {
    browser = await openBrowser();
    site = await serveParts(MODULES, ANSWERS);
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(site.url);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  describe('of localStorage', () => {
    it('carry every byte through the store', async () => {
      const found = await page.evaluate(() => {
        const { openEntries, openStorage, binaryText, binaryBytes } = parts;
        const open = () => openEntries(openStorage(), 'test/bytes/', () => {});
        const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        const entries = open();
        entries.put('a', () => binaryText(bytes));
        const early = entries.get('a') ?? 'none';
        entries.flush();
        return { early, bytes: [...binaryBytes(open().get('a'))] };
      });
      assert.deepEqual(found, { early: 'none', bytes: Array.from({ length: 256 }, (_, byte) => byte) });
    });

    it('let the last write of a key count', async () => {
      const found = await page.evaluate(() => {
        const entries = parts.openEntries(localStorage, 'test/order/', () => {});
        entries.put('gone', () => '1');
        entries.delete('gone');
        entries.delete('kept');
        entries.put('kept', () => '2');
        entries.flush();
        return [entries.get('gone') ?? 'none', entries.get('kept')];
      });
      assert.deepEqual(found, ['none', '2']);
    });

    it('write within 50 ms, and in the next task when asked to', async () => {
      const found = await page.evaluate(async () => {
        const entries = parts.openEntries(localStorage, 'test/delay/', () => {});
        const pause = (ms) => new Promise((done) => setTimeout(done, ms));
        entries.put('a', () => '1');
        await pause(0);
        const soon = entries.get('a') ?? 'none';
        await pause(80);
        const later = entries.get('a');
        entries.put('b', () => '2');
        entries.flushSoon();
        await pause(10);
        return [soon, later, entries.get('b')];
      });
      assert.deepEqual(found, ['none', '1', '2']);
    });

    it('list the entries under their prefix only', async () => {
      const keys = await page.evaluate(() => {
        for (const prefix of ['test/own/', 'test/other/']) {
          const entries = parts.openEntries(localStorage, prefix, () => {});
          entries.put('a', () => '1');
          entries.put('b/c', () => '2');
          entries.flush();
        }
        return parts.openEntries(localStorage, 'test/own/', () => {}).keys();
      });
      assert.deepEqual(keys.sort(), ['a', 'b/c']);
    });

    it('report a full store once', async () => {
      const found = await page.evaluate(() => {
        let reports = 0;
        const entries = parts.openEntries(localStorage, 'test/full/', () => {
          reports += 1;
        });
        for (const key of ['a', 'b']) entries.put(key, () => 'x'.repeat(8 * 1024 * 1024));
        entries.put('small', () => '1');
        entries.flush();
        return [reports, entries.get('a') ?? 'none', entries.get('small')];
      });
      assert.deepEqual(found, [1, 'none', '1']);
    });

    it('keep nothing and break nothing where the store is blocked', async () => {
      const found = await page.evaluate(() => {
        const own = Object.getOwnPropertyDescriptor(window, 'localStorage');
        const blocked = {
          configurable: true,
          get() {
            throw new Error('blocked');
          },
        };
        Object.defineProperty(window, 'localStorage', blocked);
        const storage = parts.openStorage();
        Object.defineProperty(window, 'localStorage', own);
        const entries = parts.openEntries(storage, 'test/blocked/', () => {});
        entries.put('a', () => '1');
        entries.flush();
        return [storage === undefined, entries.get('a') === undefined, entries.keys().length];
      });
      assert.deepEqual(found, [true, true, 0]);
    });
  });

  describe('of timeouts', () => {
    it('call back once for the last that was set', async () => {
      const found = await page.evaluate(async () => {
        const timer = parts.timer();
        const called = [];
        for (const name of ['first', 'second']) timer.set(5, () => called.push(name));
        const wasSet = timer.isSet();
        await new Promise((done) => setTimeout(done, 40));
        return [called, wasSet, timer.isSet()];
      });
      assert.deepEqual(found, [['second'], true, false]);
    });

    it('can be set again by their own callback, and cleared', async () => {
      const count = await page.evaluate(async () => {
        const timer = parts.timer();
        let count = 0;
        timer.set(0, () => timer.set(0, () => (count += 1)));
        await new Promise((done) => setTimeout(done, 40));
        timer.set(0, () => (count = 9));
        timer.clear();
        await new Promise((done) => setTimeout(done, 20));
        return count;
      });
      assert.equal(count, 1);
    });

    it('wait for a delay that browsers cannot keep instead of firing at once', async () => {
      const isEarly = await page.evaluate(async () => {
        const timer = parts.timer();
        timer.set(2 ** 40, () => {});
        await new Promise((done) => setTimeout(done, 20));
        const { isSet } = timer;
        const wasSet = isSet();
        timer.clear();
        return !wasSet;
      });
      assert.equal(isEarly, false);
    });
  });

  describe('of Web Locks', () => {
    it('hold a lock until it is released', async () => {
      const found = await page.evaluate(async () => {
        const release = await parts.tryLock('test/lane');
        const taken = await parts.tryLock('test/lane');
        release();
        let again;
        // The browser hears of a release a little later than the page.
        for (let count = 0; count < 50 && !again; count += 1) {
          again = await parts.tryLock('test/lane');
          await new Promise((done) => setTimeout(done, 10));
        }
        return [parts.hasLocks(), typeof release, taken === undefined, typeof again];
      });
      assert.deepEqual(found, [true, 'function', true, 'function']);
    });

    it('find a lock held by another page, and free when that page is gone', async () => {
      const other = await context.newPage();
      await other.goto(site.url);
      await other.evaluate(() => parts.tryLock('test/other').then(Boolean));
      const isFree = () => page.evaluate(() => parts.tryLock('test/other').then(Boolean));
      assert.equal(await isFree(), false);
      await other.close();
      let free = false;
      for (let count = 0; count < 50 && !free; count += 1) {
        free = await isFree();
        await page.waitForTimeout(20);
      }
      assert.equal(free, true);
    });
  });

  describe('of requests', () => {
    const post = (text) =>
      page.evaluate((text) => parts.post('/posted', text).then((answer) => answer.status), text);

    it('shrink repeated text into what begins like gzip', async () => {
      const bytes = await page.evaluate(async () => {
        return [...(await parts.gzip(new TextEncoder().encode('attune '.repeat(1_000))))];
      });
      assert.deepEqual(bytes.slice(0, 2), [0x1f, 0x8b]);
      assert.ok(bytes.length < 200, `${bytes.length} bytes`);
    });

    it('post small bodies as they are and large ones compressed, as plain text without credentials', async () => {
      await page.evaluate(() => {
        // biome-ignore lint/suspicious/noDocumentCookie: the test is about requests that leave it out.
        document.cookie = 'secret=1';
      });
      const large = 'ü'.repeat(600);
      assert.deepEqual([await post('ü'.repeat(512)), await post(large)], [200, 200]);
      const [small, compressed] = posted.slice(-2);
      assert.equal(small.body.toString(), 'ü'.repeat(512));
      assert.equal(gunzipSync(compressed.body).toString(), large);
      for (const { headers } of [small, compressed]) {
        assert.deepEqual([headers['content-type'], headers.cookie], ['text/plain', undefined]);
      }
    });

    it('post uncompressed where the browser cannot compress', async () => {
      await page.evaluate(async () => {
        const own = window.CompressionStream;
        window.CompressionStream = undefined;
        await parts.post('/posted', 'x'.repeat(2_000));
        window.CompressionStream = own;
      });
      assert.equal(posted.at(-1).body.length, 2_000);
    });

    it('outlive the page up to 60 KiB', async () => {
      const kept = await page.evaluate(async () => {
        const own = window.fetch;
        const kept = [];
        window.fetch = (url, options) => {
          kept.push(options.keepalive);
          return own(url, options);
        };
        const noise = (length) =>
          Array.from({ length }, () => String.fromCharCode(33 + Math.random() * 90)).join('');
        await parts.post('/posted', 'small');
        await parts.post('/posted', noise(100_000));
        window.fetch = own;
        return kept;
      });
      assert.deepEqual(kept, [true, false]);
    });

    it('tell status, body and Retry-After of an answer, and that there was none', async () => {
      const answers = await page.evaluate(async () => {
        const text = (answer) =>
          answer ? [answer.status, new TextDecoder().decode(answer.body), answer.retryAfter] : 'none';
        return [
          await parts.get('data:text/plain,hello'),
          await parts.get('/busy'),
          await parts.get('nowhere:'),
        ].map(text);
      });
      assert.deepEqual(answers, [[200, 'hello', null], [503, 'later', '7'], 'none']);
    });

    it('give a request up after 30 s', async () => {
      const timed = await context.newPage();
      await timed.clock.install();
      await timed.goto(site.url);
      await timed.evaluate(() => {
        window.answer = 'waiting';
        parts.get('/silent').then((answer) => {
          window.answer = answer === undefined ? 'given up' : 'answered';
        });
      });
      await timed.clock.runFor(29_000);
      assert.equal(await timed.evaluate(() => window.answer), 'waiting');
      await timed.clock.runFor(2_000);
      await timed.waitForFunction(() => window.answer === 'given up');
      await timed.close();
    });

    it('leave beacons to the browser, which takes 64 KiB', async () => {
      const taken = await page.evaluate(() => [
        parts.sendBeacon('/posted', 'farewell'),
        parts.sendBeacon('/posted', 'x'.repeat(70_000)),
        parts.sendBeacon('nowhere:', 'x'),
      ]);
      assert.deepEqual(taken, [true, false, false]);
      for (let count = 0; count < 50 && posted.at(-1).body.toString() !== 'farewell'; count += 1) {
        await page.waitForTimeout(20);
      }
      const { headers, body } = posted.at(-1);
      assert.deepEqual([body.toString(), headers['content-type']], ['farewell', 'text/plain;charset=UTF-8']);
    });

    it('decode every byte of base64 and refuse what is none', async () => {
      const found = await page.evaluate(() => [
        [...parts.decodeBase64('AAH+/w==')],
        parts.decodeBase64('%') ?? 'none',
      ]);
      assert.deepEqual(found, [[0, 1, 254, 255], 'none']);
    });

    it('make ids that differ', async () => {
      const ids = await page.evaluate(() => Array.from({ length: 1_000 }, () => parts.uuidV7(Date.now())));
      assert.equal(new Set(ids).size, 1_000);
    });
  });

  describe('of server-sent events', () => {
    const listen = (url) =>
      page.evaluate(async (url) => {
        const heard = [];
        const close = await new Promise((ended) => {
          const close = parts.openStream(
            url,
            ['hello', 'bundle'],
            (...message) => heard.push(message),
            () => {
              heard.push('failed');
              setTimeout(() => ended(close), 100);
            },
          );
        });
        return [heard, typeof close];
      }, url);

    it('hear the named messages with their ids, and fail once when the connection ends', async () => {
      const [heard] = await listen('/stream');
      assert.deepEqual(heard, [['hello', '{"state":"gap"}', '5'], ['bundle', '{}', '6'], 'failed']);
    });

    it('fail once where a stream cannot open', async () => {
      assert.deepEqual(await listen('http://127.0.0.1:7/none'), [['failed'], 'function']);
    });

    it('give nothing where the browser has no such streams', async () => {
      const found = await page.evaluate(() => {
        const own = window.EventSource;
        window.EventSource = undefined;
        const close = parts.openStream(
          '/stream',
          [],
          () => {},
          () => {},
        );
        window.EventSource = own;
        return close === undefined;
      });
      assert.equal(found, true);
    });
  });

  it('of the page’s turns hear each of them until they are told not to', async () => {
    const heard = await page.evaluate(() => {
      const heard = [];
      const names = ['hidden', 'visible', 'leaving', 'restored', 'online'];
      const turns = Object.fromEntries(names.map((name) => [name, () => heard.push(name)]));
      const control = new AbortController();
      parts.watchTurns(turns, control.signal);
      const turn = () => {
        for (const hidden of [true, false]) {
          Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
          document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
        }
        dispatchEvent(new PageTransitionEvent('pagehide'));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
        dispatchEvent(new Event('online'));
      };
      turn();
      control.abort();
      turn();
      delete document.hidden;
      return heard;
    });
    assert.deepEqual(heard, ['hidden', 'visible', 'leaving', 'restored', 'online']);
  });
});
