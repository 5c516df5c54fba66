/** What is called before it may be made: how much of it waits, and what is given up beyond that. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { allIn, closePage, openPage, settle, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };
/** Of such metadata ten fit into a mebibyte. */
const LARGE = { text: 'x'.repeat(100_000) };
const LAST_TEN = Array.from({ length: 10 }, (_, place) => `view ${place + 2}`);

describe('calls that wait', () => {
  let page;
  let attune;

  const begin = async (options) => {
    page = openPage();
    attune = (await load('index.ts')).init({ ...OPTIONS, ...options });
  };
  const trackTwelve = () => {
    for (let call = 0; call < 12; call += 1) attune.track(`view ${call}`, LARGE);
  };
  /** The types of what the core is told when it comes. */
  const arrived = async () => (await page.load()).of('track').map(([, , type]) => type);

  beforeEach(() => begin());
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  it('are 1,000 at most, of which the least important go first, the oldest before others', async () => {
    attune.track('first', {}, { priority: 'critical' });
    for (let call = 0; call < 5; call += 1) attune.track('second', {}, { priority: 'low' });
    for (let call = 0; call < 1_000; call += 1) attune.track('third');
    attune.track('last', {}, { priority: 'critical' });
    attune.track('idle', {}, { priority: 'low' });
    const tracked = await arrived();
    const count = (type) => tracked.filter((one) => one === type).length;
    assert.deepEqual(['first', 'second', 'idle', 'last'].map(count), [1, 0, 0, 1]);
    assert.ok(count('third') > 950 && count('third') < 1_000, `${count('third')}`);
  });

  it('are a mebibyte at most, and of equal ones the newest', async () => {
    trackTwelve();
    assert.deepEqual(await arrived(), LAST_TEN);
  });

  it('are told of with their number where they are given up, once a second', async (t) => {
    const said = [];
    attune.onError(({ code, message, kind }) => said.push([code, message, kind]));
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const givenUp = (count) => [
      'buffer_full',
      `${count} calls are given up, the least important first: 1,000, or 1 MiB, wait for the start at most`,
      'environment',
    ];
    for (const told of [[2], [2, 1]]) {
      if (told.length === 1) trackTwelve();
      else attune.track('view', LARGE);
      t.mock.timers.tick(990);
      await settle();
      assert.equal(said.length, told.length - 1);
      t.mock.timers.tick(20);
      await settle();
      assert.deepEqual(said, told.map(givenUp));
    }
  });

  it('are stored no more once they are given up', async () => {
    for (let call = 0; call < 12; call += 1) {
      attune.track(`view ${call}`, LARGE);
      await written();
    }
    const stored = (await allIn(page.database)).filter(([key]) => key[1] === 'call');
    assert.deepEqual(
      stored.map(([, [, { type }]]) => type),
      LAST_TEN,
    );
  });

  it('are made once where they were stored at once before what is stored is read', async () => {
    await attune.shutdown();
    closePage();
    await begin({ consent: { analytics: 'unknown', personalization: 'unknown' } });
    attune.track('view');
    attune.track('order', {}, { priority: 'critical' });
    await page.load();
    attune.consent({ analytics: 'granted' });
    await written();
    assert.deepEqual(await arrived(), ['view', 'order']);
  });

  it('are bounded alike where they wait for consent', async () => {
    await attune.shutdown();
    closePage();
    await begin({ consent: { analytics: 'unknown', personalization: 'unknown' } });
    attune.track('first', {}, { priority: 'normal' });
    for (let call = 0; call < 1_010; call += 1) attune.track('idle', {}, { priority: 'low' });
    attune.track('order', {}, { priority: 'normal' });
    await page.load();
    attune.consent({ analytics: 'granted' });
    await written();
    const tracked = await arrived();
    assert.deepEqual([tracked[0], tracked.at(-1)], ['first', 'order']);
    assert.ok(tracked.length > 950 && tracked.length <= 1_000, `${tracked.length}`);
  });
});
