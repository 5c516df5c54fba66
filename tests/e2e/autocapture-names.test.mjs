/** Autocapture where fields of a form, and elements of the page, have names of the browser's own. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asVisitor, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { openGate } from './rig/gate.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Fields and an element with names of the browser's own. */
const ODD = `
<form id="odd" data-kind="form"><input name="matches"><input name="getAttribute"><input name="hasAttribute"><input name="control">
  <input name="id"><input name="className"><button id="odd-send">Send</button><i id="inside" style="cursor: pointer">i</i></form>
<x-control id="control" data-attune="control">Pay</x-control>
<script>
  customElements.define('x-control', class extends HTMLElement { get control() { return {}; } });
  document.querySelector('#odd').addEventListener('submit', (event) => event.preventDefault());
</script>`;
const START = `<script type="module">
  import { autocapture } from '/attune/autocapture.js';
  autocapture(window.attune);
</script>`;

describe('autocapture', () => {
  it('is not misled by fields and elements with names of the browser’s own', async () => {
    const browser = await openBrowser();
    const collector = await Collector.start(thirdViewRules());
    const gate = await openGate(collector.url);
    const site = await serveSite({ '/': packagePage(gate.url, WRITE_KEY) + ODD + START });
    const posted = (type) =>
      gate.posted
        .flatMap((text) => JSON.parse(text).events ?? [])
        .filter(({ event_type }) => event_type === type)
        .map(({ metadata }) => metadata);
    await asVisitor(browser, async (context) => {
      const page = await openPage(context, site.url);
      for (const target of ['#odd-send', '#inside', '#control']) {
        const { x, y } = await page.evaluate(
          (target) => document.querySelector(target).getBoundingClientRect().toJSON(),
          target,
        );
        // What drives the browser asks elements itself, and such a form misleads it.
        await page.mouse.click(x + 2, y + 2);
      }
      await page.evaluate(() => window.attune.track('mark'));
      await eventually(
        () => posted('mark'),
        (marks) => marks.length > 0,
      );
      assert.deepEqual(
        posted('click').map(({ selector, tag }) => [selector, tag]),
        [
          ['#odd-send', 'button'],
          ['#inside', 'i'],
          ['[data-attune="control"]', 'x-control'],
        ],
      );
      const [form] = posted('form_submit');
      assert.deepEqual([form.selector, form.form_id, form.fields], ['#odd', 'odd', 6]);
      assert.deepEqual(await page.evaluate(() => window.attuneErrors), []);
    });
    await browser.close();
    await site.close();
    await gate.close();
    await collector.remove();
  });
});
