/** What may not leave: judged before anything is stored or sent, so that no disk has ever seen it. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openBrowser, openPage, openProfile } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { freePorts } from './rig/ports.mjs';
import { searchProfile } from './rig/profile.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const EMAIL = 'planted.visitor@mail.example';
const CARD = '4111 1111 1111 1111';
const POLICY = {
  deny: ['secret.*'],
  redact: 'all',
  url_params: { remove: ['ref'] },
  types: [
    { on: 'sampled', sample: 0 },
    { on: 'priced', properties: { price: { type: 'number', required: true } }, others: 'remove' },
    { on: 'often', per_minute: 2 },
  ],
};

describe('a page with a filter', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    const page = (options) => packagePage(collector.url, WRITE_KEY, options);
    const before = page({}).replace(
      '/attune/index.js',
      `/attune/index.js';\n  const beforeSend = ({ event_type, metadata }) => {
        if (event_type === 'dropped') return null;
        if (event_type === 'broken') throw new Error('mine');
        return { metadata: { ...metadata, seen: true } };
      };\n  '`,
    );
    site = await serveSite({
      '/': page({ filter: POLICY }),
      '/plain': page({}),
      '/wrong': page({ filter: { redact: ['emial'] } }),
      '/before': before.replace('init({', 'init({ beforeSend, ').replace("\n  ';", ''),
    });
  });
  // One that fails while the collector is away leaves it to the next.
  afterEach(() => collector.start());
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  /** Bodies that a page posts as events. */
  function bodiesOf(page) {
    const bodies = [];
    page.on('request', (request) => {
      if (request.url().includes('/v1/events')) bodies.push(request);
    });
    const textOf = (bytes) => String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
    return () => bodies.map((request) => JSON.parse(textOf(request.postDataBuffer())));
  }
  const events = async () => (await collector.summary()).events;
  const track = (page, ...calls) =>
    page.evaluate((calls) => {
      for (const [type, metadata] of calls) window.attune.track(type, metadata);
    }, calls);

  it('lets through what may leave, without what may not, and says what it has dropped', async () => {
    const before = await events();
    const page = await (await browser.newContext()).newPage();
    const bodies = bodiesOf(page);
    await page.goto(`${site.url}/?token=abc&q=hats&ref=x`);
    await page.waitForSelector('html[data-ready=yes]');
    await track(
      page,
      ['secret.note', { a: 1 }],
      ['sampled'],
      ['priced', { price: 'much' }],
      ['priced', { price: 7, more: 'gone' }],
      ['often'],
      ['often'],
      ['often'],
      ['search', { words: `mail ${EMAIL} or ${CARD}`, page: 'https://shop.example/a?access_token=1&q=2' }],
    );
    await eventually(events, (count) => count >= before + 4);
    // The collector may have it before the browser has told this process.
    const [{ events: sent, context, dropped }] = await eventually(bodies, (all) => all.length > 0);
    assert.deepEqual(
      sent.map(({ event_type, seq, metadata }) => [event_type, seq, metadata]),
      [
        ['priced', 1, { price: 7 }],
        ['often', 2, undefined],
        ['often', 3, undefined],
        ['search', 4, { words: 'mail [email] or [card]', page: 'https://shop.example/a?q=2' }],
      ],
    );
    assert.deepEqual(dropped, { denied_type: 1, sampled_out: 1, schema_mismatch: 1, rate_limited: 1 });
    assert.equal(context.page.search, '?q=hats');
    // The words of an error come in a file of their own.
    await page.waitForFunction(() => window.attuneErrors.length > 0);
    const [error] = await page.evaluate(() => window.attuneErrors);
    assert.match(error, /^schema_mismatch: priced: .*price/);
    await page.context().close();
  });

  it('takes nothing by a policy that is wrong, and says where', async () => {
    const before = await events();
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.url}/wrong`);
    await track(page, ['view']);
    const errors = await eventually(
      () => page.evaluate(() => window.attuneErrors),
      (errors) => errors.length > 0,
    );
    assert.deepEqual(errors, [
      'filter_invalid: init: option filter/redact must be one of email, card, iban, phone, ip',
    ]);
    await page.waitForTimeout(200);
    assert.equal(await events(), before);
    await page.context().close();
  });

  it('asks the site’s own filter first', async () => {
    const page = await (await browser.newContext()).newPage();
    const bodies = bodiesOf(page);
    const before = await events();
    await page.goto(`${site.url}/before`);
    await page.waitForSelector('html[data-ready=yes]');
    await track(page, ['dropped'], ['broken'], ['view', { a: 1 }]);
    await eventually(events, (count) => count > before);
    const sent = (await eventually(bodies, (all) => all.length > 0)).flatMap(({ events }) => events);
    assert.deepEqual(
      sent.map(({ event_type, metadata }) => [event_type, metadata]),
      [['view', { a: 1, seen: true }]],
    );
    await page.waitForFunction(() => window.attuneErrors.length > 0);
    assert.deepEqual(await page.evaluate(() => window.attuneErrors), [
      'before_send_failed: beforeSend threw at "broken", which is dropped: Error: mine',
    ]);
    await page.context().close();
  });

  for (const [name, path, isThere] of [
    ['leaves no trace of what it has taken out', '/', false],
    ['leaves one without a filter, so the search finds what is there', '/plain', true],
  ]) {
    it(`${name} in the browser’s profile`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'attune-filter-'));
      const context = await openProfile(folder);
      const page = await openPage(context, site.url + path);
      await collector.stop();
      await track(page, ['search', { words: `mail ${EMAIL} or ${CARD}` }]);
      await page.waitForTimeout(300);
      await context.close();
      const texts = [EMAIL, CARD, 'mail [email] or [card]'];
      const hits = searchProfile(t, isThere ? 'without a filter' : 'with a filter', folder, texts);
      assert.deepEqual(
        texts.map((text) => hits[text] > 0),
        [isThere, isThere, !isThere],
      );
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
      await collector.start();
    });
  }
});

describe('a policy in the bundle', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start({ ...thirdViewRules(), filter: POLICY });
    const page = (options) =>
      packagePage(collector.url, WRITE_KEY, options).replace(
        '</script>',
        `window.attune.track('first', { words: 'mail ${EMAIL}' });\n</script>`,
      );
    const [port] = await freePorts(1);
    site = await serveSite({
      '/': packagePage(collector.url, WRITE_KEY),
      '/before': packagePage(collector.url, WRITE_KEY, { filter: 'bundle' }),
      '/said': page({ filter: 'bundle' }),
      '/trusted': page({ filter: 'bundle', trust: await collector.trust() }),
      '/both': page({ filter: { deny: ['own.*'] } }),
      '/away': packagePage(`http://127.0.0.1:${port}`, WRITE_KEY, { filter: 'bundle' }),
      '/tag': `<!doctype html><script src="/sdk/attune.js" data-write-key="${WRITE_KEY}"
        data-collector="${collector.url}" data-filter="bundle"></script>
        <script>attune.track('first', { words: 'mail ${EMAIL}' })</script>`,
    });
  });
  // One that fails while the collector is away leaves it to the next.
  afterEach(() => collector.start());
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });
  const events = async () => (await collector.summary()).events;
  const track = (page, ...calls) =>
    page.evaluate((calls) => {
      for (const [type, metadata] of calls) window.attune.track(type, metadata);
    }, calls);
  /** What a page has sent as events, and which files it has loaded. */
  function watch(page) {
    const sent = [];
    const files = [];
    page.on('request', (request) => {
      files.push(new URL(request.url()).pathname);
      if (!request.url().includes('/v1/events')) return;
      const bytes = request.postDataBuffer();
      sent.push(...JSON.parse(String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)).events);
    });
    return { sent, files };
  }
  const open = async (path) => {
    const page = await (await browser.newContext()).newPage();
    const { sent, files } = watch(page);
    await page.goto(site.url + path);
    return { page, sent, files };
  };
  const kinds = (sent) => sent.map(({ event_type, metadata }) => [event_type, metadata]);

  for (const [name, path] of [
    ['where the page says that there is one', '/said'],
    ['where the script tag says so', '/tag'],
    ['where the page verifies its bundle', '/trusted'],
  ]) {
    it(`judges the first event of a first visit ${name}`, async () => {
      const before = await events();
      const { page, sent } = await open(path);
      await track(page, ['secret.note'], ['search', { words: CARD }]);
      await eventually(events, (count) => count >= before + 2);
      await eventually(
        () => sent.length,
        (count) => count >= 2,
      );
      assert.deepEqual(kinds(sent), [
        ['first', { words: 'mail [email]' }],
        ['search', { words: '[card]' }],
      ]);
      await page.context().close();
    });
  }

  it('counts beside the site’s own, and what one forbids does not leave', async () => {
    const before = await events();
    const { page, sent } = await open('/both');
    await eventually(
      () => page.evaluate(() => Boolean(localStorage.getItem('attune/e2e/policy'))),
      (isKnown) => isKnown,
    );
    await page.waitForSelector('html[data-ready=yes]');
    await track(page, ['own.note'], ['secret.note'], ['search', { words: EMAIL }]);
    await eventually(events, (count) => count >= before + 2);
    assert.deepEqual(kinds(sent).at(-1), ['search', { words: '[email]' }]);
    assert.deepEqual(sent.map(({ event_type }) => event_type).sort(), ['first', 'search']);
    await page.context().close();
  });

  it('waits in memory as long as the collector cannot be asked', async () => {
    const { page } = await open('/away');
    await track(page, ['search', { words: EMAIL }]);
    await page.waitForTimeout(300);
    const stored = await page.evaluate(async (name) => {
      const request = indexedDB.open(name);
      await new Promise((done) => {
        request.onsuccess = done;
        request.onerror = done;
      });
      if (!request.result.objectStoreNames.length) return [];
      const [store] = request.result.objectStoreNames;
      const all = request.result.transaction(store).objectStore(store).getAll();
      await new Promise((done) => {
        all.onsuccess = done;
      });
      return JSON.stringify(all.result);
    }, `attune/${WRITE_KEY}`);
    assert.doesNotMatch(String(stored), /search|planted/);
    await page.context().close();
  });

  it('is kept for the next visit, which leaves no trace of what it takes out while the collector is away', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-filter-'));
    const context = await openProfile(folder);
    const first = await openPage(context, `${site.url}/before`);
    await first.waitForSelector('html[data-ready=yes]');
    await first.waitForTimeout(300);
    await collector.stop();
    const page = await openPage(context, site.url);
    await track(page, ['search', { words: `mail ${EMAIL} or ${CARD}` }]);
    await page.waitForTimeout(500);
    await context.close();
    const left = 'mail [email] or [card]';
    const hits = searchProfile(t, 'with a policy in the bundle', folder, [EMAIL, CARD, left]);
    assert.deepEqual([hits[EMAIL], hits[CARD]], [0, 0]);
    assert.ok(hits[left] > 0, 'what is left of it is stored');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    await collector.start();
  });

  it('takes effect while a page is open, and what judges is loaded for it alone', async () => {
    const etag = async () => (await fetch(`${collector.url}/v1/bundle?k=${WRITE_KEY}`)).headers.get('etag');
    const first = await etag();
    collector.writeRules(thirdViewRules());
    await eventually(etag, (now) => now !== first);
    const { page, files } = await open('/');
    await page.waitForSelector('html[data-ready=yes]');
    const before = await events();
    await track(page, ['secret.note']);
    await eventually(events, (count) => count > before);
    assert.deepEqual(
      files.filter((path) => path.includes('filter')),
      [],
    );
    collector.writeRules({ ...thirdViewRules(), filter: POLICY });
    await eventually(
      () => page.evaluate(() => Boolean(localStorage.getItem('attune/e2e/policy'))),
      (isKnown) => isKnown,
    );
    await eventually(
      () => files,
      (files) => files.some((path) => path.includes('filter')),
    );
    const then = await events();
    await track(page, ['secret.note'], ['public.note']);
    await eventually(events, (count) => count > then);
    assert.equal(await events(), then + 1);
    await page.context().close();
  });

  it('judges in front of the collector’s log whatever else sends events', async () => {
    const before = await events();
    const event = (type) => ({
      event_id: crypto.randomUUID(),
      event_type: type,
      timestamp: new Date().toISOString(),
    });
    const answer = await fetch(`${collector.url}/v1/events?k=${WRITE_KEY}`, {
      method: 'POST',
      body: JSON.stringify({ v: 1, anonymous_id: 'server', events: [event('secret.note'), event('note')] }),
    });
    const { accepted, results } = await answer.json();
    assert.equal(accepted, 1);
    assert.deepEqual(
      results.map(({ index, result, code }) => [index, result, code]),
      [[0, 'rejected', 'denied_type']],
    );
    assert.equal(await events(), before + 1);
  });
});

describe('a broken policy in the bundle that never was sound', () => {
  it('keeps no event, and the page is told', async () => {
    const browser = await openBrowser();
    const collector = await Collector.start({ ...thirdViewRules(), filter: { redact: ['emial'] } });
    const site = await serveSite({
      '/': packagePage(collector.url, WRITE_KEY),
      '/said': packagePage(collector.url, WRITE_KEY, { filter: 'bundle' }),
    });
    for (const path of ['/', '/said']) {
      const page = await (await browser.newContext()).newPage();
      await page.goto(site.url + path);
      await page.waitForFunction(() => window.attuneErrors.length > 0);
      await page.evaluate(() => window.attune.track('view'));
      await page.waitForTimeout(200);
      const [error, ...more] = await page.evaluate(() => window.attuneErrors);
      assert.match(error, /^filter_keeps_nothing: the bundle's filter keeps no event: its policy is broken/);
      assert.deepEqual(more, []);
    }
    assert.equal((await collector.summary()).events, 0);
    await browser.close();
    await site.close();
    await collector.remove();
  });
});
