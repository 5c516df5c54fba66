/** What a visitor sees: pages that adapt at once, and stay as they are over reloads, tabs and edits of the rules. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { thirdViewRules } from '../../rig/rules.mjs';
import { errorsOf, headline, ready, view, visit } from '../rig/visit.mjs';

/** Adds the cases to the suite of an engine; `run.browser` is there when they run. */
export function decisions(run) {
  it('changes the page in the task of the third view, and keeps it so after a reload', () =>
    visit(run, async ({ open }) => {
      const page = await open();
      const shown = await page.run(() =>
        [1, 2, 3].map(() => {
          window.attune.track('product_view', { category: 'lamps' });
          return document.querySelector('#headline').textContent;
        }),
      );
      assert.deepEqual(shown, ['Welcome', 'Welcome', 'Picked for you']);
      await page.reload();
      await ready(page);
      await headline(page, 'Picked for you');
      assert.deepEqual(await errorsOf(page), []);
    }));

  it('keeps two tabs of one visitor in step', () =>
    visit(run, async ({ open }) => {
      const [first, second] = [await open(), await open()];
      await view(first, 'lamps', 2);
      await second.until(2, () => window.attune.signal('category_views', 'lamps'));
      await view(second, 'lamps');
      for (const page of [second, first]) {
        await headline(page, 'Picked for you');
        await page.until(3, () => window.attune.signal('category_views', 'lamps'));
      }
    }));

  it('follows an edited rule file without a reload', () =>
    visit({ ...run, rules: thirdViewRules('First text') }, async ({ collector, open }) => {
      const page = await open();
      await view(page, 'lamps', 3);
      await headline(page, 'First text');
      collector.writeRules(thirdViewRules('Second text'));
      await headline(page, 'Second text');
      assert.deepEqual(await errorsOf(page), []);
    }));
}
