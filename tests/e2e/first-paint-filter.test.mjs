/** The loader where the bundle has a filter: what waits for events stays hidden until they have been judged. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { listen } from './rig/listen.mjs';
import { freePorts } from './rig/ports.mjs';

const dist = join(import.meta.dirname, '../../sdk-wasm/dist/script');
/** How long what judges is on its way. */
const FILTER_MS = 400;
/** How long elements may be hidden, and how long it takes at most until it is known what they show. */
const HIDDEN_MS = 20_000;
const SOON_MS = 8_000;
const RULES = {
  filter: { deny: ['secret.*'] },
  signals: [{ name: 'views', on: 'view', aggregate: 'count', window: 'lifetime' }],
  rules: [
    {
      ...{ id: 'seen', slot: 'hero', when: { 'signals.views': { $gte: 1 } } },
      actions: [{ kind: 'text', target: '#hero', value: 'DECIDED' }],
    },
  ],
};

describe('a slot that is hidden until it is decided, beside a filter of the bundle', () => {
  let browser;
  let collector;
  let site;
  /** Whether what judges comes at all. */
  let comes = true;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(RULES);
    const [nobody] = await freePorts(1);
    const tag = `data-write-key="${WRITE_KEY}" data-hide-ms="${HIDDEN_MS}"`;
    site = await listen(async (request, response) => {
      const path = new URL(request.url, 'http://site').pathname;
      if (!path.startsWith('/sdk/')) {
        response.setHeader('content-type', 'text/html');
        const from = path === '/away' ? `http://127.0.0.1:${nobody}` : collector.url;
        return response.end(`<!doctype html><html lang="en"><title>Fixture</title>
          <script src="/sdk/loader.js" ${tag} data-collector="${from}" data-filter="bundle" data-slots="hero"></script>
          <script>attune.track('view')</script>
          <p id="hero" data-attune-slot="hero">ORIGINAL</p>`);
      }
      if (path.includes('/filter-')) await sleep(FILTER_MS);
      const isThere = comes || !path.includes('/filter-');
      response.setHeader('content-type', extname(path) === '.wasm' ? 'application/wasm' : 'text/javascript');
      response.writeHead(isThere ? 200 : 404).end(isThere ? readFileSync(join(dist, basename(path))) : '');
    });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  /** What a visitor sees in turn, on a first visit. */
  async function seen(until, path = '/') {
    const page = await (await browser.newContext()).newPage();
    await page.addInitScript(() => {
      window.seen = [];
      const look = () => {
        const hero = document.querySelector('#hero');
        const shown = hero && getComputedStyle(hero).visibility === 'visible' ? hero.textContent : '';
        if (shown !== (window.seen.at(-1) ?? '')) window.seen.push(shown);
        requestAnimationFrame(look);
      };
      look();
    });
    await page.goto(site.url + path);
    await page.waitForFunction((until) => window.seen.at(-1) === until, until, { timeout: SOON_MS });
    const found = await page.evaluate(() => window.seen);
    await page.context().close();
    return found;
  }

  it('is not shown before the events have been judged that decide it', async () => {
    assert.deepEqual(await seen('DECIDED'), ['DECIDED']);
  });

  it('is shown as it stands where the collector cannot be asked', async () => {
    assert.deepEqual(await seen('ORIGINAL', '/away'), ['ORIGINAL']);
  });

  it('is shown as it stands where what judges does not load', async () => {
    comes = false;
    assert.deepEqual(await seen('ORIGINAL'), ['ORIGINAL']);
  });
});
