/** What a page knows of itself where a filter has a say: of address, title and referrer nothing reaches the disk that it forbids. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openProfile } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { searchProfile } from './rig/profile.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const EMAIL = 'planted.visitor@mail.example';
const CARD = '4111-1111-1111-1111';
const LANDING = `/?email=${EMAIL}&card=${CARD}&utm_source=news&utm_term=${EMAIL}&utm_content=${CARD}`;
const REFERRER = `https://post.example/?to=${EMAIL}`;
const POLICY = { redact: 'all', url_params: { remove: ['email'] } };
/** Longer than it takes until what the next page needs is written. */
const KEPT_MS = 1_500;
const TEXT = '{{context.page.search|none}} {{context.page.title|none}} {{context.campaign.term|none}}';
const RULES = {
  signals: [{ name: 'views', on: 'view', by: 'metadata.words', aggregate: 'count', window: 'lifetime' }],
  rules: [
    // It is filled with what the filter forbids.
    rule('said', TEXT, { when: { 'context.page.search': { $exists: true } } }),
    rule('latched', TEXT, { on: 'view', hold: 'session', when: { 'context.page.title': { $exists: true } } }),
    // It has read that.
    rule('read', 'Read', {
      when: {
        'context.page.search': { $ne: 'x' },
        'context.page.title': { $ne: 'x' },
        'context.page.referrer': { $ne: 'x' },
        'context.campaign.term': { $ne: 'x' },
      },
    }),
  ],
};

function rule(slot, value, more) {
  return { id: slot, slot, ...more, actions: [{ kind: 'text', target: `#${slot}`, value }] };
}

describe('a page whose address, title and referrer have what a filter forbids', () => {
  let plain;
  let filtering;
  let site;
  before(async () => {
    [plain, filtering] = [await Collector.start(RULES), await Collector.start({ ...RULES, filter: POLICY })];
    const slots = RULES.rules.map(({ slot }) => `<p id="${slot}">Original</p>`).join('');
    const titled = `<!doctype html><title>For ${EMAIL}, ${CARD}</title>`;
    const npm = ({ url }, options) =>
      titled + slots + packagePage(url, WRITE_KEY, options).replace(/^[\s\S]*<h1.*\n/, '');
    const loader = ({ url }, attributes, script = '') => `${titled}
      <script src="/sdk/loader.js" data-write-key="${WRITE_KEY}" data-collector="${url}" ${attributes}></script>
      <script>${script}; attune.onDecision('read', () => attune.ready?.then(() => {
        document.documentElement.dataset.ready = 'yes';
      }));</script>${slots}`;
    const script = `attune.init({ filter: ${JSON.stringify(POLICY)} })`;
    const forms = {
      npm: npm(plain, {}),
      'npm-code': npm(plain, { filter: POLICY }),
      'npm-bundle': npm(filtering, { filter: 'bundle' }),
      loader: loader(plain, ''),
      'loader-code': loader(plain, 'data-manual', script),
      'loader-bundle': loader(filtering, 'data-filter="bundle"'),
    };
    site = await serveSite(
      Object.fromEntries(Object.entries(forms).map(([name, page]) => [`/${name}`, page])),
    );
  });
  after(async () => {
    await site.close();
    await plain.remove();
    await filtering.remove();
  });

  /** The context of every batch that a page posts. */
  function contextsOf(page) {
    const contexts = [];
    page.on('request', (request) => {
      if (!request.url().includes('/v1/events')) return;
      const bytes = request.postDataBuffer();
      const { context } = JSON.parse(String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes));
      if (context) contexts.push(context);
    });
    return contexts;
  }

  async function open(context, path, options) {
    const page = await context.newPage();
    const contexts = contextsOf(page);
    await page.goto(site.url + path, options);
    await page.waitForSelector('html[data-ready=yes]');
    await page.evaluate((words) => {
      window.attune.track('view', { words });
      window.attune.flush();
    }, EMAIL);
    await eventually(
      () => contexts.length,
      (count) => count > 0,
    );
    await page.waitForTimeout(KEPT_MS);
    const stored = (key) =>
      page.evaluate((key) => JSON.parse(localStorage.getItem(key)), `attune/${WRITE_KEY}/${key}`);
    return { page, contexts, stored };
  }

  /** Visits a page that has what the filter forbids, and another one; says what is kept between them. */
  async function leave(context, form, isFiltered) {
    const landing = `/${form}${LANDING.slice(1)}`;
    const { page, stored } = await open(context, landing, { referer: REFERRER });
    assert.equal(await page.evaluate(() => document.referrer), REFERRER);
    const campaign = isFiltered
      ? { source: 'news', term: '[email]', content: '[card]' }
      : { source: 'news', term: EMAIL, content: CARD };
    assert.deepEqual((await stored('campaign'))[1], campaign);
    if (form.startsWith('loader')) {
      const { slots } = await stored('decisions');
      const kept = Object.keys(slots).filter((slot) => slots[slot].outcomes.length);
      assert.deepEqual(kept.sort(), isFiltered ? ['read'] : ['latched', 'read', 'said']);
    }
    const next = await open(context, `/${form}`);
    assert.deepEqual(next.contexts[0].campaign, campaign);
  }

  for (const [form, isFiltered] of [
    ['npm', false],
    ['npm-code', true],
    ['npm-bundle', true],
    ['loader', false],
    ['loader-code', true],
    ['loader-bundle', true],
  ]) {
    const leaves = isFiltered ? 'leaves no trace of it' : 'leaves a trace without a filter';
    it(`${leaves}, and its campaign to the next page: ${form}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'attune-filter-'));
      const context = await openProfile(folder);
      try {
        await leave(context, form, isFiltered);
      } finally {
        await context.close();
      }
      const hits = searchProfile(t, form, folder, [EMAIL, CARD], { isOfSites: true });
      assert.deepEqual([hits[EMAIL] > 0, hits[CARD] > 0], [!isFiltered, !isFiltered]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    });
  }
});
