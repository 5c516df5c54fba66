/** What is tracked outlives the browser. */

import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WRITE_KEY } from '../../rig/collector.mjs';
import { eventually } from '../../rig/eventually.mjs';
import { packagePage } from '../../rig/site.mjs';
import { makeFolder, removeFolder } from '../rig/folder.mjs';
import { arrive, visit } from '../rig/visit.mjs';

/** Tracks as soon as Attune is ready, and says so: nothing drives this page. */
const TRACKING = `window.attune.ready.then(() => {
    for (let call = 0; call < 20; call += 1) window.attune.track('product_view', { category: 'hats' });
    fetch('/said', { method: 'POST', body: '"tracked"' });
  });`;

function pages(collectorUrl) {
  const page = packagePage(collectorUrl, WRITE_KEY);
  return {
    '/': page,
    '/tracking': page.replace('window.attune.ready', `${TRACKING}\n  window.attune.ready`),
  };
}

/** Adds the cases to the suite of an engine. */
export function durable({ engine }) {
  it('delivers what was tracked 150 ms before the browser was killed, once it is opened again', () =>
    visit({ pages }, async ({ collector, site }) => {
      const folder = makeFolder();
      await collector.stop();
      const killed = await engine.startAlone(folder, `${site.url}/tracking`);
      await eventually(
        () => site.said.length,
        (said) => said > 0,
      );
      await sleep(150);
      await killed.kill();
      await collector.start();
      const next = await engine.startAlone(folder, `${site.url}/`);
      await arrive(collector, 20).finally(next.kill);
      removeFolder(folder);
    }));
}
