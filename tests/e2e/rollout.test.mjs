/** Pages before a collector with a candidate, with trusted keys and without: page and worker give a member the same bundle. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headline, openBrowser, openPage, view } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** Visitors of either kind, and of both at most: each is of either kind by chance. */
const ENOUGH = 2;
const MOST = 40;

/** Greets everybody with a text, and with another one after so many views of a category. */
function rules(greeting, views) {
  const headline = (id, value, more) => ({
    ...{ id, slot: 'headline', ...more },
    actions: [{ kind: 'text', target: '#headline', value }],
  });
  const when = { $signal: { name: 'views', key: { $path: 'event.metadata.category' }, is: { $gte: views } } };
  return {
    signals: [
      { name: 'views', on: 'product_view', by: 'metadata.category', aggregate: 'count', window: 'lifetime' },
    ],
    rules: [
      headline('often', `${greeting}, again`, { on: 'product_view', when, hold: 'session', priority: 1 }),
      headline('greeting', greeting, { when: { 'context.device.class': { $exists: true } } }),
    ],
  };
}

describe('a candidate for half of all members', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.startTrying(rules('Hello', 3), rules('Tried', 2), '50');
    const options = { trust: [await collector.trust()], project: 'default' };
    const pages = {
      '/trusting': packagePage(collector.url, WRITE_KEY, options),
      '/plain': packagePage(collector.url, WRITE_KEY),
    };
    site = await serveSite(pages);
  });
  after(async () => {
    await site?.close();
    await collector?.remove();
    await browser?.close();
  });

  /** Page and delivery as developer tools show them, once all events are with the collector. */
  async function delivered(page) {
    await page.evaluate(async () => {
      window.inspect ??= (await import('/attune/devtools.js')).inspect;
      window.attune.flush();
    });
    await page.waitForFunction(() => window.inspect(window.attune).queue.events === 0);
    return await page.evaluate(() => window.inspect(window.attune));
  }

  /** What a page shows at first. */
  async function greeted(page) {
    await page.waitForSelector('#headline:not(:text("Welcome"))');
    return await page.textContent('#headline');
  }

  /** Says whether the member is in the share, once page and worker agree on it. */
  async function judged(page, greeting) {
    const isTried = (await greeted(page)) === greeting;
    await view(page, 'lamps', 2);
    await headline(page, isTried ? `${greeting}, again` : 'Hello');
    const { member, bundle_revision } = await delivered(page);
    const profile = await collector.profile(member);
    assert.equal(profile.bundle_revision, bundle_revision);
    const latched = profile.latches.map((latch) => latch.rule);
    assert.deepEqual(latched, isTried ? ['often'] : []);
    return isTried;
  }

  for (const [kind, before, later] of [
    ['trusting', 'Tried', 'Tried more'],
    ['plain', 'Tried more', 'Tried most'],
  ]) {
    it(`is shown to and counted for the same members, and a later one reaches open ${kind} pages`, async () => {
      const [tried, others, contexts] = [[], [], []];
      while (tried.length < ENOUGH || others.length < ENOUGH) {
        assert.ok(contexts.length < MOST, `${tried.length} of ${contexts.length}`);
        contexts.push(await browser.newContext());
        const page = await openPage(contexts.at(-1), `${site.url}/${kind}`);
        ((await judged(page, before)) ? tried : others).push(page);
      }
      collector.writeCandidate(rules(later, 2));
      await Promise.all(tried.map((page) => headline(page, `${later}, again`)));
      for (const page of others) assert.equal(await page.textContent('#headline'), 'Hello');
      // Another visitor of the same page gets what is theirs.
      const [page] = tried;
      const isHello = () => document.querySelector('#headline').textContent === 'Hello';
      let isBack = false;
      for (let visitor = 0; !isBack && visitor < MOST; visitor += 1) {
        await page.evaluate(() => window.attune.reset());
        isBack = await page
          .waitForFunction(isHello, undefined, { timeout: 1_000 })
          .then(Boolean, () => false);
      }
      assert.equal(await judged(page, later), false);
      await Promise.all(contexts.map((context) => context.close()));
    });
  }

  it('reaches open pages that a greater share brings it, once the collector is back', async () => {
    const contexts = [];
    const others = [];
    for (const kind of ['trusting', 'plain']) {
      for (
        let visitor = 0;
        visitor < MOST && !others.some((page) => page.url().endsWith(kind));
        visitor += 1
      ) {
        contexts.push(await browser.newContext());
        const page = await openPage(contexts.at(-1), `${site.url}/${kind}`);
        if ((await greeted(page)) === 'Hello') others.push(page);
        // The stream needs the token of a receipt.
        await view(page, 'hats');
        await delivered(page);
      }
    }
    assert.equal(others.length, 2);
    await collector.stop();
    collector.giveShare('100');
    await collector.start();
    await Promise.all(others.map((page) => headline(page, 'Tried most')));
    await Promise.all(contexts.map((context) => context.close()));
  });
});
