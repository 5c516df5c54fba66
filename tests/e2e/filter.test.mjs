/** What may not leave: judged before anything is stored or sent, so that no disk has ever seen it. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openBrowser, openPage, openProfile } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
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
    const [{ events: sent, context, dropped }] = bodies();
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
    const sent = bodies().flatMap(({ events }) => events);
    assert.deepEqual(
      sent.map(({ event_type, metadata }) => [event_type, metadata]),
      [['view', { a: 1, seen: true }]],
    );
    assert.deepEqual(await page.evaluate(() => window.attuneErrors), [
      'before_send_failed: beforeSend threw at "broken", which is dropped: Error: mine',
    ]);
    await page.context().close();
  });

  /** Whether any file of the browser's profile holds one of these texts, as bytes or in UTF-16. */
  function holds(folder, texts) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const wanted = texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')]);
    return files.some(({ parentPath, path, name }) => {
      const bytes = readFileSync(join(parentPath ?? path, name));
      return wanted.some((text) => bytes.includes(text));
    });
  }

  for (const [name, path, isThere] of [
    ['leaves no trace of what it has taken out', '/', false],
    ['leaves one without a filter, so the search finds what is there', '/plain', true],
  ]) {
    it(`${name} in the browser’s profile`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'attune-filter-'));
      const context = await openProfile(folder);
      const page = await openPage(context, site.url + path);
      await collector.stop();
      await track(page, ['search', { words: `mail ${EMAIL} or ${CARD}` }]);
      await page.waitForTimeout(300);
      await context.close();
      assert.equal(holds(folder, [EMAIL, CARD]), isThere);
      rmSync(folder, { recursive: true, force: true });
      await collector.start();
    });
  }
});
