/** A site without a build step: the inline snippet and the one script file that the collector serves. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { headline, openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { serveSite } from './rig/site.mjs';

const snippet = readFileSync(join(import.meta.dirname, '../../sdk-wasm/dist/script/snippet.html'), 'utf8');

function snippetPage(collectorUrl) {
  const tag = snippet
    .replace('{{script}}', `${collectorUrl}/sdk/attune.js`)
    .replace('{{write_key}}', WRITE_KEY);
  return `<!doctype html>
<html lang="en">
<title>Fixture</title>
${tag}
<h1 id="headline">Welcome</h1>
<script>
  window.ids = [1, 2, 3].map(() => attune.track('product_view', { category: 'lamps' }));
</script>
</html>`;
}

/** A page into which the tag has come twice, as by a template and by a tag manager. */
const twice = (collectorUrl, secondKey = WRITE_KEY) => {
  const tag = (key) =>
    `<script src="/sdk/attune.js" data-write-key="${key}" data-collector="${collectorUrl}" data-autocapture="pageViews"></script>`;
  return `<!doctype html>
<html lang="en">
<title>Twice</title>
<h1 id="headline">Welcome</h1>
${tag(WRITE_KEY)}
<script>
  window.first = window.attune;
</script>
${tag(secondKey)}
<script>
  window.attune.track('product_view', { category: 'lamps' });
</script>
</html>`;
};

/** A page whose tag, or an element before it, has the id that is the name of what it makes. */
const named = (file, collectorUrl, before = '') => `<!doctype html>
<html lang="en">
<title>Named</title>
${before}
<script ${before ? '' : 'id="attune"'} src="/sdk/${file}" data-write-key="${WRITE_KEY}" data-collector="${collectorUrl}"></script>
<h1 id="headline">Welcome</h1>
<script>
  for (const _ of [1, 2, 3]) attune.track('product_view', { category: 'lamps' });
</script>
</html>`;

describe('a page with the script tag', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    site = await serveSite({
      '/': snippetPage(collector.url),
      '/twice': twice(collector.url),
      '/other': twice(collector.url, 'other-key'),
      '/named-tag': named('attune.js', collector.url),
      '/named-loader': named('loader.js', collector.url),
      '/named-before': named('loader.js', collector.url, '<form id="attune"></form><i id="attune"></i>'),
      '/named-snippet': snippetPage(collector.url).replace('<script>', '<div id="attune"></div><script>'),
    });
  });
  after(async () => {
    await site.close();
    await collector.remove();
    await browser.close();
  });

  it('keeps the calls made before the script has loaded', async () => {
    const page = await browser.newPage();
    await page.goto(site.url);
    await headline(page, 'Picked for you');
    const ids = await page.evaluate(() => window.ids);
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id)));
    const isLive = await page.evaluate(() => typeof window.attune.decision('headline')?.rule);
    assert.equal(isLive, 'string');
    await page.close();
  });

  for (const [path, said] of [
    ['/twice', []],
    ['/other', ['init: option "writeKey" must stay "e2e" on this page, got "other-key"']],
  ]) {
    it(`is started once where its tag stands twice: ${path}`, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const errors = [];
      page.on('pageerror', ({ message }) => errors.push(message));
      const events = [];
      page.on('request', (request) => {
        if (request.url().includes('/v1/events')) events.push(...JSON.parse(request.postData()).events);
      });
      await page.goto(site.url + path);
      assert.ok(await page.evaluate(() => window.attune === window.first));
      await page.evaluate(() => window.attune.ready);
      const types = () => events.map(({ event_type }) => event_type).sort();
      assert.deepEqual(await eventually(types, ({ length }) => length > 1), ['page_view', 'product_view']);
      await page.waitForTimeout(300);
      assert.deepEqual([types(), errors], [['page_view', 'product_view'], said]);
      await context.close();
    });
  }

  for (const path of ['/named-tag', '/named-loader', '/named-before', '/named-snippet']) {
    it(`is not kept from starting by an element of its name: ${path}`, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(site.url + path);
      await headline(page, 'Picked for you');
      await context.close();
    });
  }

  it('finds its files immutable beside the script', async () => {
    const script = await fetch(`${collector.url}/sdk/attune.js`);
    assert.equal(script.status, 200);
    const name = /attune-[0-9a-f]+\.wasm/.exec(await script.text())?.[0];
    const wasm = await fetch(`${collector.url}/sdk/${name}`);
    assert.equal(wasm.status, 200);
    assert.match(wasm.headers.get('cache-control') ?? '', /immutable/);
    assert.equal(wasm.headers.get('content-type'), 'application/wasm');
  });
});
