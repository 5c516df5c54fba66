/** What a page asks for when it starts, and in which order it takes that in. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './load.mjs';
import { closePage, openPage, settle, store } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example' };

describe('a page that starts', () => {
  let page;
  let attune;
  beforeEach(() => {
    page = openPage();
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  it('asks for the rules beside the core, once, and not before somebody looks at the page', async () => {
    let asked = 0;
    const bundle = () => {
      asked += 1;
      return new Response(Uint8Array.of(1));
    };
    page.answers['/v1/bundle'] = bundle;
    const { init } = await load('index.ts');
    attune = init(OPTIONS);
    await settle();
    assert.equal(asked, 1);
    const core = await page.load();
    await settle();
    assert.deepEqual([asked, core.of('namedBundle').length], [1, 1]);
    await attune.shutdown();

    page = openPage();
    page.answers['/v1/bundle'] = bundle;
    const target = new EventTarget();
    const addEventListener = target.addEventListener.bind(target);
    Object.assign(page.document, { prerendering: true, addEventListener });
    attune = init(OPTIONS);
    await settle();
    assert.equal(asked, 1);
    page.document.prerendering = false;
    target.dispatchEvent(new Event('prerenderingchange'));
    await page.load();
    await settle();
    assert.equal(asked, 2);
  });

  it('judges by rules that have come early only once what is stored has been taken in', async () => {
    const lane = '0197f7a0-0000-7000-8000-000000000001';
    await store(page.database, [[`lane/${lane}`, ['m0', lane, 5]]]);
    page.answers['/v1/bundle'] = () => new Response(Uint8Array.of(1));
    attune = (await load('index.ts')).init(OPTIONS);
    const core = await page.load();
    for (let turn = 0; turn < 200 && !core.of('namedBundle').length; turn += 1) await sleep(10);
    const order = core.calls.map(([operation]) => operation);
    assert.ok(order.includes('restore'));
    assert.ok(order.indexOf('namedBundle') > order.indexOf('restore'));
  });
});
