/** What is said between a page's first look at what is stored and its core, without which it hears nothing. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, locksOf, openPage, settle, store, stored, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example' };
const OPEN = '0198c000-0000-7000-8000-000000000001';

describe('a page whose core comes late', () => {
  let page;
  let attune;

  beforeEach(async () => {
    page = openPage({ locks: locksOf([OPEN]) });
    page.entries.set('attune/demo/member', 'm0');
  });
  const begin = async (consent) => {
    attune = (await load('index.ts')).init({ ...OPTIONS, ...consent });
    // What is stored has been read.
    await written();
  };
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  it('takes in what other pages have stored meanwhile', async () => {
    await begin();
    const event = {
      ...{ id: '0198c000-0000-7000-8000-000000000002', type: 'view', ms: 1_763_632_801_003, member: 'm0' },
      ...{ lane: OPEN, seq: 1, user: 'ada', session: '0198c000-0000-7000-8000-000000000003' },
      ...{ metadata: '{}', priority: 1, isSettled: false },
    };
    await store(page.database, [
      ['user', ['m0', 'ada']],
      ['base', ['m0', Uint8Array.of(98, 1)]],
      [`lane/${OPEN}`, ['m0', OPEN, 1]],
      [[OPEN, 1], event],
    ]);
    const core = await page.load();
    await written();
    const counted = core
      .of('storedEvent')
      .map(([, , settled, member, lane, seq]) => [settled, member, lane, seq]);
    assert.deepEqual(counted, [[1, 'm0', OPEN, 1]]);
    assert.ok(
      core.of('restore').some(([, , , user]) => user === 'ada'),
      'the user is known',
    );
    assert.deepEqual(
      core.of('profile').map(([, bytes]) => bytes),
      [Uint8Array.of(98, 1)],
    );
  });

  it('gives the visitor who comes while it is taking in what is stored nothing of the one before', async () => {
    await begin({ consent: { analytics: 'unknown', personalization: 'unknown' } });
    const core = await page.load();
    await settle();
    const gone = OPEN.replace(/1$/, '9');
    await store(page.database, [
      ['member', 'm0'],
      ['user', ['m0', 'ada']],
      ['base', ['m0', Uint8Array.of(98, 1)]],
      [`lane/${gone}`, ['m0', gone, 1]],
    ]);
    attune.consent({ analytics: 'granted', personalization: 'granted' });
    for (let turn = 0; turn < 500 && !core.of('follow').length; turn += 1)
      await new Promise((done) => setImmediate(done));
    page.entries.set('attune/demo/member', 'm1');
    page.dispatch('storage', { key: 'attune/demo/member', newValue: 'm1' });
    await written();
    assert.equal(core.member, 'm1');
    assert.deepEqual(
      core.of('restore').filter(([, base, , user]) => base || user),
      [],
    );
  });

  it('keeps the token of the visitor whom it finds once it may look', async () => {
    page.entries.set('attune/demo/token', 'm0\nsecret');
    await begin({ consent: { analytics: 'unknown', personalization: 'unknown' } });
    const core = await page.load();
    await settle();
    attune.consent({ analytics: 'granted', personalization: 'granted' });
    await written();
    assert.equal(core.member, 'm0');
    assert.equal(page.entries.get('attune/demo/token'), 'm0\nsecret');
    attune.reset();
    await written();
    assert.equal(page.entries.get('attune/demo/token'), undefined, 'it is of nobody else');
  });

  it('stores the bundle that was there before it was allowed to, for the next page', async () => {
    page.answers['/v1/bundle'] = () => new Response(Uint8Array.of(1, 2));
    await begin({ consent: { analytics: 'unknown', personalization: 'unknown' } });
    const core = await page.load();
    await attune.ready;
    await written();
    assert.equal(await stored(page.database, 'bundle'), undefined);
    attune.consent({ analytics: 'granted', personalization: 'granted' });
    await written();
    assert.deepEqual(await stored(page.database, 'bundle'), Uint8Array.of(1, 2));
    assert.equal(core.of('namedBundle').length, 1);
  });
});

describe('bundles', () => {
  it('are asked for once more where a newer one was heard of while one was on its way, and a probe was due', async () => {
    const { openBundles } = await load('driver/bundles.ts');
    let asked = 0;
    let answer;
    const keep = async () => {
      asked += 1;
      await new Promise((done) => {
        answer = done;
      });
    };
    const settings = { trust: 'keys', loadTrust: async () => ({ openKeeper: async () => keep }) };
    const driving = { isEnded: () => false, isBlocked: () => false };
    const bundles = openBundles(driving, settings, undefined, undefined, () => {});
    bundles.fetch();
    await settle();
    bundles.fetch();
    bundles.fetch(true);
    answer();
    await settle();
    assert.equal(asked, 2);
    answer();
    await settle();
    assert.equal(asked, 2);
  });
});
