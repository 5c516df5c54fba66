/** A site without a build step: the inline snippet and the one script file that the collector serves. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { headline, openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
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

describe('a page with the script tag', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    site = await serveSite({ '/': snippetPage(collector.url) });
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
