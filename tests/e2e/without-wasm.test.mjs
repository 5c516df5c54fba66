/** A page whose policy lets no WebAssembly run: events are stored and sent all the same, and say no more than they may. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { killBrowser, openBrowser, openPage, openProfile } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const REFUSING = { 'content-security-policy': "script-src 'self' 'unsafe-inline'" };
const count = (name, on, where) => ({
  name,
  on,
  aggregate: 'count',
  window: 'lifetime',
  ...(where && { where }),
});
const RULES = {
  signals: [
    count('notes', 'note'),
    count('told', 'note', { 'metadata.secret': { $exists: true } }),
    count('bought', 'purchase', { 'metadata.price': { $exists: true } }),
  ],
  rules: [],
};

describe('a page without WebAssembly', () => {
  let browser;
  let collector;
  let site;
  let headers;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    const pages = { '/shop': packagePage(collector.url, WRITE_KEY, { withoutWasm: ['purchase'] }) };
    headers = { ...REFUSING };
    site = await serveSite(pages, headers);
  });
  // One that fails while the collector is away leaves it to the next.
  afterEach(() => collector.start());
  after(async () => {
    await site.close();
    await collector.remove();
    await browser.close();
  });

  const open = async (context) => {
    const page = await context.newPage();
    const bodies = [];
    page.on('request', (request) => {
      if (!request.url().includes('/v1/events')) return;
      const body = request.postDataBuffer();
      bodies.push(body[0] === 0x1f ? gunzipSync(body).toString() : body.toString());
    });
    await page.goto(`${site.url}/shop?utm_source=secret-source`);
    await page.waitForFunction(() => window.attuneErrors?.length > 0);
    return { page, bodies };
  };
  const signals = async () => (await collector.summary()).signals;
  const arrive = async (name, expected) => {
    const found = await eventually(
      async () => (await signals())[name] ?? 0,
      (count) => count >= expected,
    );
    assert.equal(found, expected, name);
  };

  it('says so once, and sends ids, types and its path, and metadata of the types that are listed', async () => {
    const context = await browser.newContext();
    const { page, bodies } = await open(context);
    assert.deepEqual(await page.evaluate(() => window.attuneErrors), [
      "wasm_unavailable: WebAssembly is refused here: events are sent, nothing is decided; the page's policy needs script-src 'wasm-unsafe-eval'",
    ]);
    assert.equal(
      await page.evaluate(() => window.attune.ready.catch(({ code }) => code)),
      'wasm_unavailable',
    );
    await page.evaluate(() => {
      window.attune.page();
      for (let call = 0; call < 20; call += 1) window.attune.track('note', { secret: 'secret-words' });
      window.attune.track('purchase', { price: 12 });
    });
    await arrive('notes', 20);
    await arrive('bought', 1);
    assert.equal((await signals()).told ?? 0, 0);
    const sent = bodies.join('\n');
    assert.ok(!sent.includes('secret'), sent);
    assert.ok(sent.includes('"context":{"clock_skew_ms":null,"page":{"path":"/shop"}}'), sent);
    assert.ok(bodies.length <= 3, `${bodies.length} requests`);
    // What a receipt has named is stored no more.
    await page.waitForTimeout(200);
    const left = await page.evaluate(
      () =>
        new Promise((done) => {
          const request = indexedDB.open('attune/e2e');
          request.onsuccess = () => {
            const keys = request.result.transaction('entries').objectStore('entries').getAllKeys();
            keys.onsuccess = () => done(keys.result.filter((key) => Array.isArray(key)).length);
          };
        }),
    );
    assert.equal(left, 0);
    await context.close();
  });

  it('delivers on its next visit what a killed browser could not, in order, and each event once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-profile-'));
    let context = await openProfile(folder);
    try {
      const before = (await signals()).notes;
      const { page } = await open(context);
      await collector.stop();
      await page.evaluate(() => {
        for (let call = 0; call < 20; call += 1) window.attune.track('note');
      });
      await page.waitForTimeout(100);
      await killBrowser(context);
      await collector.start();
      context = await openProfile(folder);
      const { bodies } = await open(context);
      await arrive('notes', before + 20);
      const seqs = bodies.flatMap((body) => JSON.parse(body).events.map(({ seq }) => seq));
      assert.deepEqual(
        seqs,
        [...seqs].sort((a, b) => a - b),
      );
    } finally {
      await context.close().catch(() => {});
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  });

  it('leaves what it could not send to a page with WebAssembly', async () => {
    const context = await browser.newContext();
    const before = (await signals()).notes;
    const { page } = await open(context);
    await collector.stop();
    await page.evaluate(() => {
      for (let call = 0; call < 5; call += 1) window.attune.track('note');
    });
    await page.waitForTimeout(200);
    delete headers['content-security-policy'];
    await collector.start();
    await page.close();
    const later = await openPage(context, `${site.url}/shop`);
    await arrive('notes', before + 5);
    assert.deepEqual(await later.evaluate(() => window.attuneErrors), []);
    Object.assign(headers, REFUSING);
    await context.close();
  });

  it('writes a critical event at once and down to the disk, and sends it before all others', async () => {
    const context = await browser.newContext();
    const { page, bodies } = await open(context);
    await page.waitForTimeout(200);
    const written = await page.evaluate(() => {
      const durabilities = [];
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...asked) {
        if (asked[1] === 'readwrite') durabilities.push(asked[2].durability);
        return transaction.apply(this, asked);
      };
      window.attune.track('note');
      window.attune.track('paid', {}, { priority: 'critical' });
      return durabilities;
    });
    assert.deepEqual(written, ['strict']);
    const events = await eventually(
      () => bodies.flatMap((body) => JSON.parse(body).events.map(({ event_type }) => event_type)),
      ({ length }) => length === 2,
    );
    assert.deepEqual(events, ['paid', 'note']);
    await context.close();
  });

  it('makes few requests of a collector that is busy and names no time to wait', async () => {
    const context = await browser.newContext();
    const gate = await openGate(collector.url);
    const busy = await serveSite({ '/': packagePage(gate.url, WRITE_KEY) }, REFUSING);
    try {
      gate.refuse = { status: 503, retryAfter: '0' };
      const page = await context.newPage();
      await page.goto(busy.url);
      await page.waitForFunction(() => window.attune);
      const before = (await signals()).notes;
      await page.evaluate(() => window.attune.track('note'));
      await page.waitForTimeout(3_000);
      const asked = gate.asked.filter((path) => path === '/v1/events').length;
      assert.ok(asked > 0 && asked <= 12, `${asked} requests`);
      gate.refuse = undefined;
      await arrive('notes', before + 1);
    } finally {
      await busy.close();
      await gate.close();
      await context.close();
    }
  });

  it('goes on where the collector could not be reached, without a request for each event', async () => {
    const context = await browser.newContext();
    const before = (await signals()).notes;
    const { page, bodies } = await open(context);
    await collector.stop();
    await page.evaluate(() => window.attune.track('note'));
    await page.waitForTimeout(300);
    await page.evaluate(() => {
      for (let call = 0; call < 200; call += 1) window.attune.track('note');
    });
    await eventually(
      () => bodies.length,
      (count) => count >= 2,
    );
    await page.waitForTimeout(300);
    // With `keepalive`, and once more without: other scripts may have used up the room for that.
    assert.equal(bodies.length, 2);
    await collector.start();
    await page.evaluate(() => window.attune.flush());
    await arrive('notes', before + 201);
    await context.close();
  });
});
