/** A preview by a signed link, from the command line to the page: what it shows, what it leaves alone, and how it ends. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const RULES = {
  signals: [{ name: 'views', on: 'product_view', aggregate: 'count', window: '30m' }],
  experiments: [
    {
      id: 'tone',
      variations: [
        { key: 'plain', weight: 1 },
        { key: 'warm', weight: 0 },
      ],
    },
  ],
  rules: [
    {
      id: 'keen',
      slot: 'headline',
      priority: 9,
      when: { 'signals.views': { $gte: 3 } },
      actions: [{ kind: 'text', target: '#headline', value: 'Keen {{context.who|visitor}}' }],
    },
    {
      id: 'welcome',
      slot: 'headline',
      actions: [{ kind: 'text', target: '#headline', value: 'Hello {{context.who|you}}' }],
    },
    {
      id: 'warm',
      slot: 'note',
      when: { 'experiments.tone': 'warm' },
      cap: { per: 'session', count: 1 },
      actions: [{ kind: 'variable', name: 'note', value: 'warm' }],
    },
  ],
};

function scriptPage(url, file = 'attune.js') {
  return `<!doctype html>
<html lang="en">
<title>Fixture</title>
<h1 id="headline">Welcome</h1>
<script src="${url}/sdk/${file}" data-write-key="${WRITE_KEY}"></script>
</html>`;
}

describe('a preview', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    const trust = [await collector.trust()];
    const policy = [
      `default-src 'none'; connect-src 'self' ${collector.url}`,
      `script-src 'self' 'unsafe-inline' ${collector.url} 'wasm-unsafe-eval'`,
      "require-trusted-types-for 'script'; trusted-types 'none'",
    ].join('; ');
    site = await serveSite(
      {
        '/': packagePage(collector.url, WRITE_KEY),
        '/trusting': packagePage(collector.url, WRITE_KEY, { trust, project: 'default' }),
        '/script': scriptPage(collector.url),
        '/loader': scriptPage(collector.url, 'loader.js'),
      },
      { 'content-security-policy': policy },
    );
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  function link(path, ...words) {
    const from = ['--data-dir', collector.dataDir];
    return execFileSync(process.env.ATTUNE_BINARY, ['preview', site.url + path, ...from, ...words], {
      encoding: 'utf8',
    }).trim();
  }
  const WORDS = ['--rule', 'keen', '--variation', 'tone=1', '--context', '{"who":"Ada"}'];

  /** A page of a browser of its own, with what it sends and what violates its policy. */
  async function open(url) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 } });
    const sent = [];
    const cores = [];
    context.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.url());
      if (/\/sdk\/attune-\w+\.wasm$/.test(request.url())) cores.push(request.url());
    });
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.violations = [];
      addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
        violations.push(violatedDirective),
      );
    });
    await page.goto(url);
    return { context, page, sent, cores };
  }
  const headline = (page, text) =>
    page.waitForFunction((text) => document.querySelector('#headline').textContent === text, text);
  const stored = (page) =>
    page.evaluate(async () => {
      const databases = await indexedDB.databases();
      return [Object.keys(localStorage), databases.length];
    });
  const panel = (page) => page.locator('[data-attune-preview]');

  for (const path of ['/', '/trusting', '/script', '/loader']) {
    it(`shows what its link forces, and why, and neither stores nor sends: ${path}`, async () => {
      const { context, page, sent, cores } = await open(link(path, ...WORDS));
      await headline(page, 'Keen Ada');
      assert.deepEqual(cores, [], 'a preview has a core of its own');
      assert.equal(await page.evaluate(() => attune.variable('note', '-')), 'warm');
      await page.evaluate(() => attune.track('product_view'));
      const lines = panel(page).locator('summary');
      assert.deepEqual(await lines.allTextContents(), [
        'headline → keenforced',
        'note → warmholds; tone is warm, previewed',
      ]);
      await lines.first().click();
      await page.waitForFunction(
        () => document.querySelector('[data-attune-preview]').shadowRoot.querySelectorAll('li').length === 2,
      );
      assert.deepEqual(await panel(page).locator('li').allTextContents(), [
        'keen does not match: signals.views is 1',
        'welcome holds',
      ]);
      if (process.env.SCREENSHOT)
        await page.screenshot({ path: `${process.env.SCREENSHOT}${path.slice(1)}.png` });
      await page.evaluate(() => {
        attune.track('product_view');
        attune.track('product_view');
        attune.flush();
      });
      await page.waitForFunction(
        () =>
          document.querySelector('[data-attune-preview]').shadowRoot.querySelector('li').textContent ===
          'keen holds',
      );
      await new Promise((done) => setTimeout(done, 300));
      assert.deepEqual(sent, []);
      assert.deepEqual(await stored(page), [['attune_preview'], 0], 'a mark that a tab may have a preview');
      assert.deepEqual(await page.evaluate(() => violations), []);
      await context.close();
    });
  }

  it('goes on over the pages of its tab, and ends where somebody leaves it', async () => {
    const { context, page, sent } = await open(link('/', ...WORDS));
    await headline(page, 'Keen Ada');
    await page.goto(site.url);
    await headline(page, 'Keen Ada');
    const other = await context.newPage();
    await other.goto(site.url);
    await headline(other, 'Hello you');
    await panel(page).getByRole('button', { name: 'Leave preview' }).click();
    await headline(page, 'Hello you');
    assert.equal(await panel(page).count(), 0);
    await page.evaluate(() => {
      attune.track('product_view');
      attune.flush();
    });
    await page.waitForFunction(() => attune.signal('views') === 1);
    // Events leave again.
    await eventually(
      () => sent.length,
      (count) => count > 0,
    );
    await context.close();
  });

  it('tells devtools, and with them React and OpenFeature, when it changes', async () => {
    const { context, page } = await open(link('/', ...WORDS));
    await headline(page, 'Keen Ada');
    await page.evaluate(async () => {
      const { onChange } = await import('/attune/devtools.js');
      window.changes = 0;
      onChange(attune, () => {
        window.changes += 1;
      });
      attune.track('product_view');
    });
    await page.waitForFunction(() => window.changes > 0);
    await context.close();
  });

  it('gives way to nothing that the loader has painted of the visitor’s own decisions, and leaves it as it was', async () => {
    const { context, page } = await open(`${site.url}/loader`);
    await headline(page, 'Hello you');
    await page.evaluate(() => attune.flush());
    await page.waitForFunction(() => Object.keys(localStorage).some((key) => key.endsWith('/decisions')));
    // The page that is left writes once more.
    await page.goto('about:blank');
    const kept = async () => {
      const { localStorage } = (await context.storageState()).origins[0];
      return localStorage.filter(({ name }) => name !== 'attune_preview');
    };
    const before = await kept();
    await page.goto(link('/loader', ...WORDS));
    await headline(page, 'Keen Ada');
    await page.waitForTimeout(700);
    assert.equal(await page.textContent('#headline'), 'Keen Ada');
    assert.deepEqual(await kept(), before);
    await panel(page).getByRole('button', { name: 'Leave preview' }).click();
    await headline(page, 'Hello you');
    await context.close();
  });

  it('that is not signed, altered, or over is none: the page is as always, and its events count', async () => {
    const signed = link('/', ...WORDS);
    const { searchParams } = new URL(signed);
    const [said, signature] = searchParams.get('attune_preview').split('.');
    const altered = Buffer.from(Buffer.from(said, 'base64url').toString().replace('Ada', 'Eve')).toString(
      'base64url',
    );
    const over = link('/', ...WORDS, '--expires', '1ms');
    for (const [url, why] of [
      [`${site.url}/?attune_preview=x`, 'damaged'],
      [`${site.url}/?attune_preview=${altered}.${signature}`, 'no key of the key set'],
      [over, 'its time is over'],
      [link('/', ...WORDS, '--project', 'other'), 'it is for project other'],
    ]) {
      const { context, page, sent } = await open(url);
      await headline(page, 'Hello you');
      await page.waitForFunction(() => attuneErrors.length > 0);
      const errors = await page.evaluate(() => attuneErrors);
      assert.ok(
        errors.some((error) => error.startsWith('preview_refused') && error.includes(why)),
        `${errors}`,
      );
      assert.equal(await panel(page).count(), 0);
      await page.evaluate(() => {
        attune.track('product_view');
        attune.flush();
      });
      await page.waitForFunction(() => attune.signal('views') === 1);
      await eventually(
        () => sent.length,
        (count) => count > 0,
      );
      await context.close();
    }
  });
});
