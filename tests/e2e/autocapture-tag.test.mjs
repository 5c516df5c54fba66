/** The script tag's `data-autocapture`: what it loads and tracks, under a strict policy. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { serveSite } from './rig/site.mjs';

describe('the script tag with data-autocapture', () => {
  let browser;
  let collector;
  let gate;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules());
    gate = await openGate(collector.url);
    const tag = (kinds) => `<!doctype html>
<html lang="en">
<title>Tagged</title>
<button id="save">Save</button>
<script src="/sdk/attune.js" data-write-key="${WRITE_KEY}" data-collector="${gate.url}" ${kinds}></script>
</html>`;
    const policy = [
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
      `connect-src 'self' ${gate.url}`,
      "require-trusted-types-for 'script'; trusted-types 'none'",
    ];
    const pages = {
      '/': tag('data-autocapture'),
      '/listed': tag('data-autocapture="clicks webVitals"'),
      '/none': tag(''),
    };
    site = await serveSite(pages, { 'content-security-policy': policy.join('; ') });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });

  /** Clicks once, and says which files were loaded and which types of event have been posted. */
  async function visit(path, types) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await context.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        window.violations.push(`${violatedDirective} ${blockedURI}`);
      });
    });
    const files = [];
    page.on('request', (request) => files.push(new URL(request.url()).pathname));
    await page.goto(site.url + path);
    await page.evaluate(() => window.attune.ready);
    await page.waitForLoadState('networkidle');
    await page.click('#save');
    await page.evaluate(() => window.attune.track('mark'));
    const member = await page.evaluate(() => localStorage.getItem('attune/e2e/member'));
    const told = () => {
      const batches = gate.posted.map((text) => JSON.parse(text));
      const own = batches.filter(({ anonymous_id: id }) => member.includes(id));
      return own.flatMap(({ events = [] }) => events.map((event) => event.event_type));
    };
    const found = await eventually(told, (found) => [...types, 'mark'].every((type) => found.includes(type)));
    const violations = () => page.evaluate(() => window.violations);
    assert.deepEqual(await violations(), []);
    // What the policy forbids is noticed.
    await page.evaluate(() => {
      try {
        document.createElement('script').src = '/sdk/attune.js';
      } catch {}
    });
    assert.deepEqual(await violations(), ['require-trusted-types-for trusted-types-sink']);
    await context.close();
    return { files: files.filter((file) => /autocapture|web-vitals/.test(file)), types: new Set(found) };
  }

  it('tracks what is tracked by default, under a strict policy with Trusted Types', async () => {
    const { files, types } = await visit('/', ['page_view', 'click']);
    assert.match(files.join(), /^\/sdk\/autocapture-[0-9a-f]{8}\.js$/);
    assert.ok(!types.has('web_vital'));
  });

  it('tracks the kinds that it lists, and no others', async () => {
    const { files, types } = await visit('/listed', ['click', 'web_vital']);
    assert.match(files.join(), /autocapture-[0-9a-f]{8}\.js,.*web-vitals-[0-9a-f]{8}\.js$/);
    assert.ok(!types.has('page_view'));
  });

  it('says so where it cannot be loaded, and the page goes on', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/sdk/autocapture-*', (route) => route.abort());
    await page.goto(site.url);
    const code = () =>
      page.evaluate(() => new Promise((heard) => window.attune.onError(({ code }) => heard(code))));
    assert.equal(await code(), 'autocapture_failed');
    await context.close();
  });

  it('loads nothing where it is not there', async () => {
    const { files, types } = await visit('/none', []);
    assert.deepEqual([files, [...types]], [[], ['mark']]);
  });
});
