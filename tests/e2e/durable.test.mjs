/** What is tracked outlives whatever becomes of its page: a killed browser, a crashed renderer, a tab that is closed. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { crash, headline, killBrowser, openPage, openProfile, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { thirdViewRules } from './rig/rules.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

describe('what a page has tracked', () => {
  let collector;
  let site;
  let folder;
  let context;
  before(async () => {
    collector = await Collector.start(thirdViewRules());
    site = await serveSite({
      '/': packagePage(collector.url, WRITE_KEY),
      '/empty': '<!doctype html><title>Empty</title>',
    });
  });
  // One that fails while the collector is away leaves it to the next.
  afterEach(() => collector.start());
  after(async () => {
    await site.close();
    await collector.remove();
  });

  /** Runs with a browser profile of its own. */
  async function withProfile(body) {
    folder = mkdtempSync(join(tmpdir(), 'attune-profile-'));
    context = await openProfile(folder);
    try {
      await body();
    } finally {
      await context.close().catch(() => {});
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  }
  const counted = async () => (await collector.summary()).signals.category_views ?? 0;
  const arrive = async (count) => {
    const arrived = await eventually(counted, (views) => views >= count);
    assert.equal(arrived, count);
  };

  it('survives a browser that is killed while the collector is down', () =>
    withProfile(async () => {
      const before = await counted();
      const page = await openPage(context, site.url);
      await collector.stop();
      await view(page, 'hats', 20);
      await page.waitForTimeout(100);
      await killBrowser(context);
      await collector.start();
      context = await openProfile(folder);
      await openPage(context, site.url);
      await arrive(before + 20);
    }));

  it('is the same visitor after the browser was killed', () =>
    withProfile(async () => {
      const page = await openPage(context, site.url);
      await view(page, 'bags', 3);
      await headline(page, 'Picked for you');
      await page.waitForTimeout(100);
      await killBrowser(context);
      context = await openProfile(folder);
      await headline(await openPage(context, site.url), 'Picked for you');
    }));

  it('is taken up by a tab that stays open when the renderer of another one crashes', () =>
    withProfile(async () => {
      const before = await counted();
      const stays = await openPage(context, site.url);
      const crashes = await openPage(context, site.url);
      await collector.stop();
      await view(crashes, 'lamps', 7);
      await view(stays, 'lamps', 5);
      await crashes.waitForTimeout(100);
      await stays.bringToFront();
      await crash(crashes);
      await collector.start();
      await stays.evaluate(() => window.dispatchEvent(new Event('online')));
      await arrive(before + 12);
    }));

  it('is counted in every open tab at once, while the collector is down', () =>
    withProfile(async () => {
      const [first, second] = [await openPage(context, site.url), await openPage(context, site.url)];
      await collector.stop();
      await view(first, 'coats', 2);
      await view(second, 'coats');
      for (const page of [first, second]) {
        await page.waitForFunction(() => window.attune.signal('category_views', 'coats') === 3);
      }
      await collector.start();
    }));
});
