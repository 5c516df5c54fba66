/** Sites without a build: the recipes of docs/embedding.md for policies and for integrity, with the files of the package. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../e2e/rig/collector.mjs';
import { openGate } from '../e2e/rig/gate.mjs';
import { thirdViewRules } from '../e2e/rig/rules.mjs';
import { openConsumer } from './rig/consumer.mjs';
import { serveFolder } from './rig/static.mjs';
import { delivered, PICKED, picked } from './rig/visit.mjs';

const NONCE = 'bm9uY2Utb2Ytb25lLXJ1bg';

describe('a site with the script tag', () => {
  let browser;
  let collector;
  let consumer;
  let gate;
  let integrity;
  /** The file of the script whose name changes with its content. */
  let pinned;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules(PICKED));
    consumer = await openConsumer('script-tag');
    const script = join(consumer.folder, 'node_modules/attune/dist/script');
    cpSync(script, join(consumer.folder, 'attune'), { recursive: true });
    integrity = JSON.parse(readFileSync(join(script, 'integrity.json'), 'utf8'));
    pinned = pinnedOf(integrity);
  });
  after(async () => {
    await browser?.close();
    await collector?.remove();
    consumer?.remove();
  });
  // One for each test: what a page says when it is closed belongs to none.
  beforeEach(async () => {
    gate = await openGate(collector.url);
  });
  afterEach(() => gate.close());

  const source = (name, values) =>
    Object.entries(values).reduce(
      (text, [key, value]) => text.replaceAll(`{{${key}}}`, value),
      readFileSync(join(consumer.folder, name), 'utf8'),
    );

  /** The page with one external script, pinned. */
  const external = (values = {}) =>
    source('index.html', {
      script: `/attune/${pinned}`,
      integrity: integrity[pinned],
      collector: gate.url,
      ...values,
    });

  /** The page with the queueing snippet inline, under a nonce. */
  const inline = (nonce = NONCE) => {
    const snippet = readFileSync(join(consumer.folder, 'attune/snippet.html'), 'utf8')
      .replace('{{script}}', `${gate.url}/sdk/attune.js`)
      .replace('{{write_key}}', WRITE_KEY)
      .replace('<script>', `<script nonce="${nonce}">`);
    return source('inline.html', { snippet });
  };

  /** Opens a page under a policy; notes what it violates. */
  async function open(test, page, policy) {
    const headers = policy && { 'content-security-policy': policy };
    const site = await serveFolder(consumer.folder, { pages: { '/': page }, headers });
    const context = await browser.newContext();
    test.after(async () => {
      await context.close();
      await site.close();
    });
    await context.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        window.violations.push(`${violatedDirective} ${blockedURI}`);
      });
    });
    const opened = await context.newPage();
    opened.setDefaultTimeout(20_000);
    await opened.goto(site.url);
    return opened;
  }

  async function works(page) {
    await page.waitForFunction(() => window.attune?.track);
    for (let view = 0; view < 3; view += 1) await page.click('#view');
    await picked(page);
    await delivered(gate, 'product_view', 3);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  }

  const violated = (page) => page.evaluate(() => window.violations);

  const policies = {
    plain: () => `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${gate.url}`,
    strict: () =>
      [
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
        `connect-src 'self' ${gate.url}`,
        "require-trusted-types-for 'script'; trusted-types 'none'",
      ].join('; '),
    nonce: () =>
      [
        `default-src 'self'; script-src 'self' 'nonce-${NONCE}' 'strict-dynamic' 'wasm-unsafe-eval'`,
        `connect-src 'self' ${gate.url}`,
      ].join('; '),
  };

  for (const name of ['plain', 'strict']) {
    it(`delivers and decides under the ${name} policy, pinned by its integrity`, async (test) => {
      const page = await open(test, external(), policies[name]());
      // Autocapture has come by import().
      await delivered(gate, 'page_view', 1);
      await works(page);
      await delivered(gate, 'click', 3);
    });
  }

  it('delivers and decides by the inline snippet under a policy with a nonce', async (test) => {
    const page = inline().replace('<script type', `<script nonce="${NONCE}" type`);
    await works(await open(test, page, policies.nonce()));
  });

  it('runs no snippet whose nonce is another one', async (test) => {
    const page = await open(test, inline('another'), policies.nonce());
    assert.match((await violated(page)).join(), /^script-src-elem inline/);
    assert.equal(await page.evaluate(() => window.attune), undefined);
  });

  it('says so where the policy forgets WebAssembly, and delivers all the same', async (test) => {
    const policy = policies.plain().replace(" 'wasm-unsafe-eval'", '');
    const page = await open(test, external(), policy);
    await page.waitForFunction(() => window.attune?.onError);
    const heard = () => new Promise((heard) => window.attune.onError(({ code }) => heard(code)));
    assert.equal(await page.evaluate(heard), 'wasm_unavailable');
    assert.match((await violated(page)).join(), /^script-src wasm-eval/);
    for (let view = 0; view < 3; view += 1) await page.click('#view');
    await delivered(gate, 'product_view', 3);
    assert.equal(await page.textContent('#headline'), 'Welcome');
  });

  it('is refused where a byte of the script differs, and the page goes on', async (test) => {
    const altered = integrity[pinned].replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const page = await open(test, external({ integrity: altered }));
    await page.waitForLoadState('networkidle');
    assert.equal(await page.evaluate(() => window.attune), undefined);
    assert.equal(await page.textContent('#headline'), 'Welcome');
  });

  it('can be pinned as the collector serves it, under a name that stays as it is', async (test) => {
    const listed = await (await fetch(`${gate.url}/sdk/integrity.json`)).json();
    const name = pinnedOf(listed);
    const { ok, headers } = await fetch(`${gate.url}/sdk/${name}`);
    assert.ok(ok);
    assert.match(headers.get('cache-control'), /immutable/);
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.equal(listed['attune.js'], listed[name]);
    const script = `${gate.url}/sdk/${name}`;
    await works(await open(test, external({ script, integrity: listed[name] })));
  });
});

/** The name of the script that changes with its content. */
function pinnedOf(integrity) {
  return Object.keys(integrity).find((name) => /^attune-[0-9a-f]{8}\.js$/.test(name));
}
