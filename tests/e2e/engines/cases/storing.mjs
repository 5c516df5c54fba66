/** What is stored: nothing before the visitor has agreed, and a page works where nothing can be. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WRITE_KEY } from '../../rig/collector.mjs';
import { packagePage } from '../../rig/site.mjs';
import { arrive, errorsOf, goOnline, headline, view, visit } from '../rig/visit.mjs';

/** Has every access throw, as browsers do where a visitor has blocked storage. */
const BLOCKING = `<script>
  const blocked = { get() { throw new DOMException('storage is blocked', 'SecurityError'); } };
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, blocked);
</script>`;
const UNKNOWN = { consent: { analytics: 'unknown', personalization: 'unknown' } };

const blockingPages = (url) => ({
  '/': packagePage(url, WRITE_KEY).replace('<title>', `${BLOCKING}\n<title>`),
});
const unknownPages = (url) => ({ '/': packagePage(url, WRITE_KEY, UNKNOWN) });

/** Bytes of everything that the page's site has stored. */
const storedBytes = (page) =>
  page.run(async () => {
    const databases = (await indexedDB.databases()).length;
    return (
      databases + JSON.stringify({ ...localStorage, ...sessionStorage }).length - 2 + document.cookie.length
    );
  });

async function worksWithoutStorage({ collector, open }) {
  const page = await open();
  await view(page, 'lamps', 3);
  await headline(page, 'Picked for you');
  await arrive(collector, 3);
  // What is tracked during an outage waits in memory.
  await collector.stop();
  await view(page, 'lamps', 2);
  await sleep(100);
  await collector.start();
  await goOnline(page);
  await arrive(collector, 5);
  const errors = await errorsOf(page);
  assert.deepEqual(
    errors.map((error) => error.split(':')[0]),
    ['storage_blocked'],
  );
}

/** Adds the cases to the suite of an engine; `run.browser` is there when they run. */
export function storing(run) {
  it('works where every access to storage throws', () =>
    visit({ ...run, pages: blockingPages }, worksWithoutStorage));

  const skip = run.engine.lacks.blockedStorage;
  it('works where the browser itself blocks storage', { skip }, async () => {
    const browser = await run.engine.start({ blocksStorage: true });
    await visit({ browser }, worksWithoutStorage).finally(() => browser.close());
  });

  it('stores nothing and sends nothing before the visitor has agreed, and then all that was tracked', () =>
    visit({ ...run, pages: unknownPages }, async ({ collector, open }) => {
      const page = await open();
      await view(page, 'lamps', 3);
      await page.run(() => window.attune.flush());
      await sleep(500);
      assert.deepEqual([await storedBytes(page), (await collector.summary()).events], [0, 0]);
      await page.run(() => window.attune.consent({ analytics: 'granted' }));
      await arrive(collector, 3);
      assert.ok((await storedBytes(page)) > 0);
      assert.deepEqual(await errorsOf(page), []);
    }));
}
