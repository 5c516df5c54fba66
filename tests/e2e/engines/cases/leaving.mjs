/** Pages that are left: in the task that tracks, and for the back/forward cache. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../../rig/eventually.mjs';
import { listen } from '../../rig/listen.mjs';
import { arrive, errorsOf, goOnline, plainPages, ready, view, visit } from '../rig/visit.mjs';

/** Tracks and navigates in one task. */
const leave = (page) =>
  page
    .run(() => {
      for (let call = 0; call < 20; call += 1) window.attune.track('product_view', { category: 'gone' });
      location.href = '/other';
    })
    // The page may be gone before it can answer.
    .catch(() => {});

/** What keeps a page of Firefox out of its back/forward cache is not there. */
const BARE = '<script>delete Navigator.prototype.locks; delete window.EventSource;</script>';

/** What is compressed is never ready: of what is worth it, only that leaves which a page that is left sends as it is. */
const NEVER_COMPRESSED = `<script>
  window.CompressionStream = function () { return new TransformStream({ flush: () => new Promise(() => {}) }); };
</script>`;

const pagesWith = (script) => (collectorUrl) => {
  const pages = plainPages(collectorUrl);
  return { ...pages, '/': pages['/'].replace('<title>', `${script}\n<title>`) };
};

/** Leaves a page that has counted, comes back, and counts on. */
async function comesBack({ collector, site, open }) {
  const page = await open();
  await page.run(() => {
    window.persisted = [];
    addEventListener('pageshow', (event) => window.persisted.push(event.persisted));
  });
  const lane = () => page.run(async () => (await import('/attune/devtools.js')).inspect(window.attune).lane);
  await view(page, 'hats', 2);
  const first = await lane();
  await page.goto(`${site.url}/other`);
  await page.back();
  await page.until(true, () => window.persisted?.[0]);
  await view(page, 'hats', 3);
  assert.notEqual(await lane(), first);
  await arrive(collector, 5);
  await page.until(5, () => window.attune.signal('category_views', 'hats'));
  assert.deepEqual(await errorsOf(page), []);
}

/**
 * Comes back to a page after a no on the one behind it. Some engines give such a page up and load it anew, which begins by the
 * site's word; one that is as it was must have heard the no.
 */
async function hearsNo({ collector, site, open }) {
  const page = await open();
  await page.run(() => {
    window.isKept = true;
  });
  await view(page, 'hats', 2);
  await arrive(collector, 2);
  await page.goto(`${site.url}/?behind`);
  await ready(page);
  await page.run(() => window.attune.consent({ analytics: 'denied', personalization: 'denied' }));
  await new Promise((done) => setTimeout(done, 500));
  await page.back();
  await ready(page);
  await new Promise((done) => setTimeout(done, 500));
  const isKept = await page.run(() => window.isKept === true);
  await view(page, 'hats');
  await new Promise((done) => setTimeout(done, 1_000));
  const { signals } = await collector.summary();
  assert.equal(signals.category_views, isKept ? 2 : 3);
  const keys = await page.run(() => Object.keys(localStorage).length);
  assert.equal(keys > 0, !isKept);
}

/** Tracks while another script has used up the room for requests that outlive their page, where the engine has such a limit. */
async function shareRoom({ collector, open }) {
  let waiting = 0;
  const slow = await listen((request) => {
    request.on('end', () => {
      waiting += 1;
    });
    request.resume();
  });
  try {
    const page = await open();
    await page.run((url) => {
      fetch(url, { method: 'POST', body: 'x'.repeat(65_500), keepalive: true }).catch(() => {});
    }, slow.url);
    await eventually(() => waiting, Boolean);
    for (const count of [1, 2, 3, 4]) {
      await view(page, 'gone');
      await arrive(collector, count);
    }
    assert.deepEqual(await errorsOf(page), []);
    assert.equal((await collector.summary()).duplicates, 0);
  } finally {
    await slow.close();
  }
}

/** Adds the cases to the suite of an engine; `run.browser` is there when they run. */
export function leaving(run) {
  it('delivers what a page tracks in the task that leaves it, without another page', () =>
    visit(run, async ({ collector, open }) => {
      await leave(await open());
      await arrive(collector, 20);
    }));

  const pages = pagesWith(NEVER_COMPRESSED);
  /** Waits until all has arrived, without another page and without a repeat. */
  const arriveOnce = async (collector) => {
    await arrive(collector, 20);
    assert.equal((await collector.summary()).duplicates, 0);
  };
  it('sends once what is still being compressed when a page is left', () =>
    visit({ ...run, pages }, async ({ collector, open }) => {
      await leave(await open());
      await arriveOnce(collector);
    }));

  it('sends once what is still being compressed when a tab is closed', () =>
    visit({ ...run, pages }, async ({ collector, site, open }) => {
      await run.browser.open(`${site.url}/other`);
      const page = await open();
      await view(page, 'gone', 20);
      await page.close();
      await arriveOnce(collector);
    }));

  it('delivers by the next page what is tracked so while the collector is down', () =>
    visit(run, async ({ collector, site, open }) => {
      const page = await open();
      await collector.stop();
      await leave(page);
      await page.until('/other', () => location.pathname);
      await collector.start();
      await page.goto(`${site.url}/`);
      await ready(page);
      await goOnline(page);
      await arrive(collector, 20);
    }));

  it('delivers while another script uses up the room for what outlives a page', () => visit(run, shareRoom));

  const { backForwardCache: skip } = run.engine.lacks;
  it('comes back from the back/forward cache with a lane of its own', { skip }, () => visit(run, comesBack));

  it('comes back from there without forgetting a no that was said meanwhile', { skip }, () =>
    visit(run, hearsNo),
  );

  it('comes back so where there are neither locks nor streams', () =>
    visit({ ...run, pages: pagesWith(BARE) }, comesBack));
}
