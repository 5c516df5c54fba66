/** The first steps of both READMEs, as they are written there: their rules, their code, and what they say comes of it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { serveSite } from './rig/site.mjs';

const root = join(import.meta.dirname, '../..');

/** The first block of a language in a README behind a text. */
function block(file, language, behind = '') {
  const text = readFileSync(join(root, file), 'utf8');
  const rest = text.slice(text.indexOf(behind));
  return new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(rest)[1];
}

for (const [file, rules, code] of [
  ['README.md', block('README.md', 'json', '## A rule'), block('README.md', 'ts', 'An npm package')],
  ['sdk-wasm/README.md', block('sdk-wasm/README.md', 'json'), block('sdk-wasm/README.md', 'ts', '4. Start')],
]) {
  describe(`the steps of ${file}`, () => {
    let browser;
    let collector;
    let site;
    before(async () => {
      browser = await openBrowser();
      collector = await Collector.start(JSON.parse(rules));
      const script = code
        .replace("'attune'", "'/attune/index.js'")
        .replace(
          /writeKey: '\w+', collector: '[^']*'/,
          `writeKey: '${WRITE_KEY}', collector: '${collector.url}'`,
        )
        .replace(/attune\.signal\(.*\);/, (call) => `window.views = ${call}`);
      const page = `<!doctype html><html lang="en"><title>Fixture</title><div id="hero"><h1>Welcome</h1></div>
<script type="module">const render = () => {};\n${script}\nwindow.attune = attune;</script></html>`;
      site = await serveSite({ '/': page });
    });
    after(async () => {
      await browser.close();
      await site.close();
      await collector.remove();
    });

    it('count what they say they count, fill the slot at the third view, and show the events', async () => {
      const page = await (await browser.newContext()).newPage();
      const lines = [];
      page.on('console', (message) => message.text().startsWith('attune: ') && lines.push(message.text()));
      for (const expected of ['Welcome', 'Welcome', 'More hats for you']) {
        await page.goto(site.url);
        await page.waitForFunction(() => window.attune?.ready.then(() => true));
        await page.waitForFunction((text) => document.querySelector('h1').textContent === text, expected);
        if (code.includes('attune.signal') && page.views === undefined) {
          page.views = await page.waitForFunction(() => window.views).then((views) => views.jsonValue());
          assert.equal(page.views, 1);
        }
        // The next page is another step.
        await page.waitForTimeout(300);
      }
      const dump = () =>
        execFileSync(process.env.ATTUNE_BINARY, ['log', 'dump', '--data-dir', collector.dataDir], {
          encoding: 'utf8',
        });
      const views = (text) => text.split('\n').filter((line) => line.includes('"page_view"')).length;
      assert.equal(views(await eventually(dump, (text) => views(text) >= 3)), 3);
      assert.deepEqual(lines, []);
    });
  });
}
