/** A shop in React, rendered by a server and taken over by Chromium, with the oldest and the newest React there may be. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector } from '../e2e/rig/collector.mjs';
import { openGate } from '../e2e/rig/gate.mjs';
import { openConsumer, programOf } from './rig/consumer.mjs';
import { variableRules } from './rig/rules.mjs';
import { serveFolder } from './rig/static.mjs';
import { delivered, openWatched, PICKED, picked } from './rig/visit.mjs';

const GIVEN = [
  {
    slot: 'headline',
    rule: 'of-the-server',
    key: null,
    reason: 'level',
    actions: [{ kind: 'variable', name: 'title', value: 'From the <server>' }],
  },
];
/** By version: the folder of `tests/packaging` that has it. */
const VERSIONS = { 18: 'react-18', 19: '.' };

for (const [version, preferred] of Object.entries(VERSIONS)) {
  describe(`a shop in React ${version}`, () => {
    let browser;
    let collector;
    let consumer;
    let gate;
    let shop;
    let page;
    let complaints;
    before(async () => {
      browser = await openBrowser();
      collector = await Collector.start(variableRules());
      consumer = await openConsumer('react', preferred);
      await consumer.node('build.js');
      gate = await openGate(collector.url);
      const pages = {
        '/': await consumer.node('dist/server.js'),
        '/given': await consumer.node('dist/server.js', [JSON.stringify(GIVEN)]),
      };
      shop = await serveFolder(consumer.folder, { pages });
    });
    after(async () => {
      await browser?.close();
      await shop?.close();
      await gate?.close();
      await collector?.remove();
      consumer?.remove();
    });

    /** Opens a page and notes every text that its headline has had. */
    async function open(path) {
      const context = await browser.newContext();
      await context.addInitScript(() => {
        window.texts = [];
        const note = () => {
          const text = document.querySelector('#headline')?.textContent;
          if (text && text !== window.texts.at(-1)) window.texts.push(text);
        };
        const options = { childList: true, characterData: true, subtree: true };
        new MutationObserver(note).observe(document, options);
      });
      const mark = path.includes('?') ? '&' : '?';
      ({ page, complaints } = await openWatched(context, `${shop.url}${path}${mark}collector=${gate.url}`));
    }

    async function viewLamps() {
      for (let view = 0; view < 3; view += 1) await page.click('#view');
    }

    it('agrees with the types of that version', async () => {
      await consumer.node(programOf('typescript', 'bin/tsc'));
    });

    it('takes over what the server has rendered with fallbacks, and follows decisions and signals', async () => {
      gate.posted.length = 0;
      await open('/');
      await page.waitForFunction(() => window.attune);
      await page.evaluate(() => window.attune.ready);
      await viewLamps();
      await picked(page, complaints);
      assert.equal(await page.textContent('#rule'), 'third-view');
      assert.equal(await page.textContent('#views'), '3');
      assert.deepEqual(await page.evaluate(() => window.texts), ['Welcome', PICKED]);
      await delivered(gate, 'product_view', 3);
      // StrictMode mounts everything twice; the page has been seen once.
      await page.click('#log-in');
      await delivered(gate, 'attune.identify', 1);
      // It has not been started anew.
      await delivered(gate, 'page_view', 1);
      assert.equal(await page.evaluate(() => window.starts), 1);
      assert.equal((await page.evaluate(() => window.shop.version)).split('.')[0], version);
      assert.deepEqual(complaints, []);
    });

    it('listens to nothing any more when it is unmounted, and goes on when it is mounted again', async () => {
      const listener = () => page.evaluate(() => typeof window.attune[Symbol.for('attune.devtools')].changed);
      assert.equal(await listener(), 'function');
      await page.evaluate(() => window.shop.unmount());
      assert.equal(await listener(), 'undefined');
      await page.evaluate(() => window.shop.mount());
      await picked(page, complaints);
      assert.equal(await listener(), 'function');
      assert.deepEqual(complaints, []);
      await page.context().close();
    });

    it('shows what the server has decided until its own decisions are live', async () => {
      await open('/given');
      await page.waitForFunction(() => window.attune);
      await page.evaluate(() => window.attune.ready);
      await page.waitForFunction(() => document.querySelector('#rule').textContent === 'none');
      await viewLamps();
      await picked(page, complaints);
      assert.deepEqual(await page.evaluate(() => window.texts), ['From the <server>', 'Welcome', PICKED]);
      assert.deepEqual(complaints, []);
      await page.context().close();
    });

    it('would have said so if the browser had rendered anything else than the server', async () => {
      await open('/given?forgotten');
      await page.waitForFunction(() => window.attune);
      assert.match(complaints.join('\n'), /hydrat/i);
      await page.context().close();
    });
  });
}
