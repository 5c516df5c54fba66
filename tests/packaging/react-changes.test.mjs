/** Changes by rules to what React renders: it renders on, with children that come and go, while they are in effect. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { serveParts } from '../e2e/rig/parts.mjs';

/** A headline whose children come and go, and whose text is now one, now several. */
const APP = `
import { createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
function App() {
  const [count, set] = useState(1);
  window.render = set;
  return h('main', null,
    h('h1', { id: 'headline' },
      count % 3 ? 'Hello ' : null, count < 3 || count > 4 ? h('b', null, 'Ann ' + count) : null, count % 2 ? '!' : '?'),
    h('p', { id: 'one' }, count < 4 ? 'Shop ' + count : h('i', null, 'Closed')),
    h('p', { id: 'rest' }, 'Seen ' + count));
}
createRoot(document.getElementById('app')).render(h(App));`;
const LAST = 8;

describe('changes to what React renders', () => {
  let browser;
  let site;
  before(async () => {
    browser = await openBrowser();
    const { outputFiles } = await build({
      stdin: { contents: APP, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"production"' },
    });
    const answers = { '/app.js': (_, response) => response.end(outputFiles[0].text) };
    site = await serveParts(['dom/page.ts', 'actions.ts'], answers);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  for (const [kind, change] of [
    ['text', (target) => ['text', target, 'Ours']],
    ['html', (target) => ['further', target, ['html', '<u>Ours</u>'], []]],
  ]) {
    it(`keep ${kind} in place over its renders, and give back what it has rendered last`, async () => {
      const page = await browser.newPage();
      const errors = [];
      page.on('pageerror', ({ message }) => errors.push(message));
      await page.goto(site.url);
      const texts = async (number) => {
        await page.evaluate((number) => {
          window.render(number);
          return new Promise((done) => setTimeout(done, 50));
        }, number);
        return page.evaluate(() =>
          ['headline', 'one', 'rest'].map((id) => document.getElementById(id)?.innerText),
        );
      };
      await page.evaluate(async () => {
        document.body.append(Object.assign(document.createElement('div'), { id: 'app' }));
        const script = document.body.appendChild(document.createElement('script'));
        script.src = '/app.js';
        await new Promise((done) => script.addEventListener('load', done));
        window.problems = [];
        window.changes = parts.openPage(
          (problem) => problems.push(String(problem)),
          async () => parts,
        );
      });
      await page.waitForSelector('#headline');
      await page.evaluate((all) => changes.set('slot', all), ['#headline', '#one'].map(change));
      for (let number = 2; number <= LAST; number += 1) {
        assert.deepEqual(await texts(number), ['Ours', 'Ours', `Seen ${number}`]);
      }
      await page.evaluate(() => changes.clear());
      const rendered = `<main><h1 id="headline">Hello <b>Ann ${LAST}</b>?</h1><p id="one"><i>Closed</i></p><p id="rest">Seen ${LAST}</p></main>`;
      assert.equal(await page.evaluate(() => document.getElementById('app').innerHTML), rendered);
      assert.deepEqual(await texts(3), ['!', 'Shop 3', 'Seen 3']);
      assert.deepEqual(errors, []);
      assert.deepEqual(await page.evaluate(() => problems), []);
      await page.close();
    });
  }
});
