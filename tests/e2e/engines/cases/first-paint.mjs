/** What a page shows before its core is there, and where there is none. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WRITE_KEY } from '../../rig/collector.mjs';
import { fanRules } from '../../rig/rules.mjs';
import { packagePage } from '../../rig/site.mjs';
import { arrive, headline, ready, view, visit } from '../rig/visit.mjs';

const DECIDED = 'For friends of lamps';
/** How long the script takes: long enough for frames before it. */
const SDK_MS = 400;
/** Notes what the headline says at every frame; nothing while it is hidden. */
const WATCH = `<script>
  window.seen = [];
  const look = () => {
    const headline = document.querySelector('#headline');
    const isHidden = !headline || getComputedStyle(headline).visibility === 'hidden';
    seen.push(isHidden ? '' : headline.textContent);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
</script>`;
const tail = `<h1 id="headline">Welcome</h1><script>
  addEventListener('load', () => {
    const until = () =>
      window.attune?.ready?.then ? attune.ready.then(() => { document.documentElement.dataset.ready = 'yes'; })
        : setTimeout(until, 10);
    until();
  });
</script>`;
const tagPages = (url) => {
  const page = (file, more) =>
    `<!doctype html><html lang="en"><title>Fixture</title>${WATCH}
<script ${more} src="/sdk/${file}" data-write-key="${WRITE_KEY}" data-collector="${url}"></script>${tail}`;
  return { '/': page('loader.js', ''), '/script': page('attune.js', 'async') };
};

/** As in a lockdown mode. What drives the page needs `eval`, so that no policy can refuse WebAssembly here. */
const lockedPages = (url) => ({
  '/': packagePage(url, WRITE_KEY, { withoutWasm: ['product_view'] }).replace(
    '<title>',
    '<script>delete window.WebAssembly;</script><title>',
  ),
});

/** Adds the cases to the suite of an engine; `run.browser` is there when they run. */
export function firstPaint(run) {
  it('shows a stored decision from its first frame on', () =>
    visit({ ...run, rules: fanRules(), pages: tagPages, sdkMs: SDK_MS }, async ({ open, site }) => {
      const page = await open();
      await view(page, 'lamps', 3);
      await headline(page, DECIDED);
      await page.until(
        true,
        () => localStorage.getItem('attune/e2e/decisions')?.includes('lamp-fan') === true,
      );
      const framesAt = async (path) => {
        await page.goto(site.url + path);
        await ready(page);
        await headline(page, DECIDED);
        return new Set(await page.run(() => window.seen));
      };
      const seen = await framesAt('/');
      assert.ok(seen.has(DECIDED) && !seen.has('Welcome'), [...seen].join());
      // So that the case could tell.
      assert.ok((await framesAt('/script')).has('Welcome'));
    }));

  it('sends its events where there is no WebAssembly', () =>
    visit({ ...run, pages: lockedPages }, async ({ collector, site }) => {
      const page = await run.browser.open(`${site.url}/`);
      await page.until(1, () => window.attuneErrors?.length);
      await view(page, 'lamps', 5);
      await arrive(collector, 5);
      const [error] = await page.run(() => window.attuneErrors);
      assert.match(error, /^wasm_unavailable: /);
    }));
}
