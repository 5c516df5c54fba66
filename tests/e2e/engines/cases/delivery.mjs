/** Every event reaches the collector, and counts once. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WRITE_KEY } from '../../rig/collector.mjs';
import { arrive, errorsOf, goOnline, headline, ready, view, visit } from '../rig/visit.mjs';

/** Time within which everything that was tracked is stored. */
const STORED_AFTER_MS = 150;

const snippet = readFileSync(
  join(import.meta.dirname, '../../../../sdk-wasm/dist/script/snippet.html'),
  'utf8',
);

/** A page with the snippet, which tracks before the script that it loads can have come. */
function snippetPages(collectorUrl) {
  const script = `${collectorUrl}/sdk/attune.js`;
  const tag = snippet.replace('{{script}}', script).replace('{{write_key}}', WRITE_KEY);
  const page = `<!doctype html>
<html lang="en">
<title>Fixture</title>
${tag}
<h1 id="headline">Welcome</h1>
<script>
  window.cameEarly = Array.isArray(window.attune);
  window.ids = [1, 2, 3].map(() => attune.track('product_view', { category: 'lamps' }));
</script>
</html>`;
  return { '/': page };
}

/** Tracks in two tabs while the collector is down, and closes one after a while. */
async function closesOne({ collector, open }, pauseMs) {
  const [stays, closes] = [await open(), await open()];
  await collector.stop();
  await view(stays, 'lamps', 5);
  await view(closes, 'lamps', 7);
  await sleep(pauseMs);
  await closes.close();
  await collector.start();
  await goOnline(stays);
  await arrive(collector, 12);
  assert.deepEqual(await errorsOf(stays), []);
}

/** Adds the cases to the suite of an engine; `run.browser` is there when they run. */
export function delivery(run) {
  it('counts each of twenty events once', () =>
    visit(run, async ({ collector, open }) => {
      const page = await open();
      await view(page, 'lamps', 20);
      await arrive(collector, 20);
      assert.deepEqual(await errorsOf(page), []);
    }));

  it('delivers what is tracked before the script has loaded', () =>
    visit({ ...run, pages: snippetPages }, async ({ collector, site }) => {
      const page = await run.browser.open(`${site.url}/`);
      await headline(page, 'Picked for you');
      assert.equal(await page.run(() => window.cameEarly), true);
      assert.equal(new Set(await page.run(() => window.ids)).size, 3);
      await arrive(collector, 3);
    }));

  it('delivers what is tracked while the collector is down, over a reload', () =>
    visit(run, async ({ collector, open }) => {
      const page = await open();
      await view(page, 'lamps', 5);
      await arrive(collector, 5);
      await collector.stop();
      await view(page, 'lamps', 7);
      await page.reload();
      await ready(page);
      await view(page, 'lamps', 4);
      await collector.start();
      await goOnline(page);
      await arrive(collector, 16);
    }));

  it('delivers what a closed tab has left through the one that is open', () =>
    visit(run, (site) => closesOne(site, STORED_AFTER_MS)));

  const { writesOnClosing: skip } = run.engine.lacks;
  it('delivers so what was tracked in the last moment before the tab was closed', { skip }, () =>
    visit(run, (site) => closesOne(site, 0)),
  );
}
