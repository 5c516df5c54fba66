/** The SDK's adapters of web APIs in a real browser, one at a time. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openBrowser } from './rig/browser.mjs';
import { bodyOf, serveParts } from './rig/parts.mjs';

const MODULES = [
  'browser/activation.ts',
  'browser/beacon.ts',
  'browser/binary.ts',
  'browser/channel.ts',
  'browser/gzip.ts',
  'browser/http.ts',
  'browser/later.ts',
  'browser/locks.ts',
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

  describe('of other pages', () => {
    it('carry what one says to the others, until it is closed', async () => {
      const other = await context.newPage();
      await other.goto(site.url);
      for (const one of [page, other]) {
        await one.evaluate(() => {
          window.heard = [];
          window.channel = parts.openChannel('test', (message) => heard.push(message));
          channel.say('too', 'early');
          channel.open();
        });
      }
      await page.evaluate(() => channel.say('bytes', Uint8Array.of(1, 2)));
      await other.waitForFunction(() => heard.length === 1);
      assert.deepEqual(await other.evaluate(() => [heard[0][0], [...heard[0][1]]]), ['bytes', [1, 2]]);
      assert.equal(await page.evaluate(() => heard.length), 0);
      await other.evaluate(() => channel.close());
      await page.evaluate(() => channel.say('late'));
      await other.waitForTimeout(100);
      assert.equal(await other.evaluate(() => heard.length), 1);
      await other.evaluate(() => channel.open());
      await page.evaluate(() => channel.say('again'));
      await other.waitForFunction(() => heard.length === 2);
      assert.deepEqual(await other.evaluate(() => heard[1]), ['again']);
      await other.close();
    });

    it('wait for a lock until its page is gone, or until they are told not to', async () => {
      const other = await context.newPage();
      await other.goto(site.url);
      await other.evaluate(() => parts.tryLock('test/held').then(Boolean));
      await page.evaluate(() => {
        window.ends = new AbortController();
        window.got = [];
        for (const signal of [ends.signal, new AbortController().signal])
          parts.awaitLock('test/held', signal).then((release) => got.push(typeof release));
        // Chromium forgets an abort that comes before it has queued the request.
        setTimeout(() => ends.abort(), 50);
      });
      await page.waitForFunction(() => got.length === 1);
      assert.deepEqual(await page.evaluate(() => got), ['undefined']);
      await other.close();
      await page.waitForFunction(() => got.length === 2);
      assert.deepEqual(await page.evaluate(() => got), ['undefined', 'function']);
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
      page.evaluate(async (text) => {
        const body = await parts.pack(new TextEncoder().encode(text));
        return (await parts.post('/posted', body)).status;
      }, text);

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
        await parts.post('/posted', await parts.pack(new TextEncoder().encode('x'.repeat(2_000))));
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
      assert.deepEqual([body.toString(), headers['content-type']], ['farewell', 'text/plain']);
    });

    it('are made by the browser once the page is gone, unless they are taken back', async () => {
      const leaving = await context.newPage();
      await leaving.goto(site.url);
      const before = posted.length;
      const taken = await leaving.evaluate(() => {
        const [kept, back] = ['later', 'never'].map((text) =>
          parts.postLater(new URL('/posted', location.href).href, new TextEncoder().encode(text)),
        );
        back();
        return [typeof kept, typeof parts.postLater('nowhere:', new Uint8Array())];
      });
      assert.deepEqual(taken, ['function', 'undefined']);
      assert.equal(posted.length, before);
      await leaving.close();
      for (let count = 0; count < 100 && posted.length === before; count += 1) await page.waitForTimeout(20);
      const { headers, body } = posted.at(-1);
      assert.deepEqual([body.toString(), headers['content-type']], ['later', 'text/plain']);
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
        document.dispatchEvent(new Event('freeze'));
        document.dispatchEvent(new Event('resume'));
        dispatchEvent(new Event('online'));
      };
      turn();
      control.abort();
      turn();
      delete document.hidden;
      return heard;
    });
    const frozen = ['leaving', 'restored'];
    assert.deepEqual(heard, ['hidden', 'visible', 'leaving', 'restored', ...frozen, 'online']);
  });
});
