/** Pages that name a trusted key, before a real collector: what it signs is shown, and what was changed on the way is not. */

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { headline, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { openGate } from './rig/gate.mjs';
import { greetingRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** A key of nobody's. */
const FOREIGN = `ed25519:${'A'.repeat(43)}`;
const heard = (code) => window.attuneErrors.some((error) => error.startsWith(`${code}: `));

/** One bit of every envelope and delta is turned. */
function turnBit(path, bytes) {
  if (path.length > 60) bytes[Math.floor(bytes.length / 2)] ^= 1;
  return bytes;
}

function scriptPage(collectorUrl, trust) {
  return `<!doctype html>
<html lang="en">
<title>Fixture</title>
<h1 id="headline">Welcome</h1>
<script src="${collectorUrl}/sdk/attune.js" data-write-key="${WRITE_KEY}" data-trust="${trust}" data-project="default"></script>
</html>`;
}

describe('a page that trusts a key', () => {
  let browser;
  let collector;
  let gate;
  let site;
  let trust;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(greetingRules('First'));
    gate = await openGate(collector.url);
    trust = await collector.trust();
    const policy = `default-src 'none'; script-src 'self' ${gate.url} 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self' ${gate.url}`;
    /** A page that listens to no errors. */
    const unheard = (options) => packagePage(gate.url, WRITE_KEY, options).replace(/^.*onError.*$/m, '');
    const pages = {
      '/': packagePage(gate.url, WRITE_KEY, { trust: [trust], project: 'default' }),
      '/foreign': packagePage(gate.url, WRITE_KEY, { trust: [FOREIGN] }),
      '/unheard-key': unheard({ trust: [FOREIGN] }),
      '/unheard-project': unheard({ trust: [trust], project: 'another' }),
      '/unheard-environment': unheard({ trust: [trust], environment: 'another' }),
      '/script': scriptPage(gate.url, trust),
    };
    site = await serveSite(pages, { 'content-security-policy': policy });
  });
  afterEach(() => {
    gate.spoil = undefined;
    gate.asked.length = 0;
  });
  after(async () => {
    await site.close();
    await gate.close();
    await collector.remove();
    await browser.close();
  });

  it('shows what the collector has signed, keeps it when the next is changed on the way, and takes that when it is whole', async () => {
    const context = await browser.newContext();
    const page = await openPage(context, site.url);
    await headline(page, 'First');
    assert.ok(!gate.asked.includes('/v1/bundle'), 'nothing is taken on trust alone');
    gate.spoil = turnBit;
    collector.writeRules(greetingRules('Second'));
    // A receipt says that there is a newer one.
    const hears = page.waitForFunction(heard, 'bundle_tampered');
    const calls = setInterval(() => page.evaluate(() => window.attune.track('look')).catch(() => {}), 200);
    try {
      await hears;
    } finally {
      clearInterval(calls);
    }
    assert.equal(await page.textContent('#headline'), 'First');
    gate.spoil = undefined;
    await headline(page, 'Second');
    await context.close();
  });

  it('refuses over a reload what is older than it has seen', async () => {
    const context = await browser.newContext();
    const statements = [];
    gate.spoil = (path, bytes) => {
      if (path.endsWith('/current')) statements.push(bytes);
      return bytes;
    };
    const page = await openPage(context, site.url);
    await page.waitForSelector('#headline:not(:text("Welcome"))');
    collector.writeRules(greetingRules('Third'));
    const calls = setInterval(() => page.evaluate(() => window.attune.track('look')).catch(() => {}), 200);
    try {
      await headline(page, 'Third');
    } finally {
      clearInterval(calls);
    }
    gate.spoil = (path, bytes) => (path.endsWith('/current') ? statements[0] : bytes);
    await page.reload();
    await page.waitForFunction(heard, 'bundle_lower_revision');
    assert.equal(await page.textContent('#headline'), 'Welcome');
    await context.close();
  });

  it('shows nothing of a collector that signs with a key it does not trust', async () => {
    const context = await browser.newContext();
    const page = await openPage(context, `${site.url}/foreign`);
    await page.waitForFunction(heard, 'bundle_unknown_key');
    assert.equal(await page.textContent('#headline'), 'Welcome');
    assert.ok(!gate.asked.includes('/v1/bundle'));
    await context.close();
  });

  for (const [option, code] of [
    ['key', 'bundle_unknown_key'],
    ['project', 'bundle_wrong_project'],
    ['environment', 'bundle_wrong_environment'],
  ])
    it(`tells the console that the ${option} is another, where nobody listens`, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const told = page.waitForEvent('console', (message) => message.text().startsWith('attune: '));
      await page.goto(`${site.url}/unheard-${option}`);
      assert.match((await told).text(), new RegExp(`^attune: ${code}: .* is refused`));
      await context.close();
    });

  for (const [name, file, prepare] of [
    ['WebCrypto', 'trust', () => {}],
    [
      'the verifier',
      'verifier',
      () => Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined }),
    ],
  ]) {
    it(`is a script tag with an attribute, too, by ${name}`, async () => {
      const context = await browser.newContext();
      await context.addInitScript(prepare);
      const page = await context.newPage();
      await page.goto(`${site.url}/script`);
      await page.waitForFunction(() => document.querySelector('#headline')?.textContent !== 'Welcome');
      const loaded = gate.asked.filter((path) => path.startsWith('/sdk/') && path.endsWith('.wasm'));
      assert.ok(
        loaded.some((path) => path.startsWith(`/sdk/${file}-`)),
        loaded.join(),
      );
      assert.ok(!gate.asked.includes('/v1/bundle'));
      await context.close();
    });
  }
});
