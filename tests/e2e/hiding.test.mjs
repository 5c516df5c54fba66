/** What the loader hides, on a page that has style sheets of its own. */

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { serveParts } from './rig/parts.mjs';

let browser;
let site;
before(async () => {
  browser = await openBrowser();
  site = await serveParts(['first-paint/hiding.ts']);
});
after(async () => {
  await browser.close();
  await site.close();
});

it('stays hidden where the page puts its own style sheets in place of all, and these stay too', async () => {
  const page = await browser.newPage();
  await page.goto(site.url);
  const found = await page.evaluate(() => {
    document.body.innerHTML = '<p id="h">x</p>';
    const look = () => [
      getComputedStyle(h).visibility,
      getComputedStyle(h).color,
      document.adoptedStyleSheets.length,
    ];
    const hiding = parts.openHiding(9_000);
    const reveal = hiding.hide('#h');
    hiding.look();
    const found = [look()];
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('#h { color: red }');
    document.adoptedStyleSheets = [sheet];
    hiding.look();
    hiding.look();
    found.push(look());
    reveal();
    return [...found, look()];
  });
  assert.deepEqual(found, [
    ['hidden', 'rgb(0, 0, 0)', 1],
    ['hidden', 'rgb(255, 0, 0)', 2],
    ['visible', 'rgb(255, 0, 0)', 2],
  ]);
  await page.close();
});
