/** A page that has the first file of its core, and not the rest yet. */

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { decision, FakeCore } from './core.mjs';
import { load } from './load.mjs';
import { allIn, closePage, openPage, settle, written } from './page.mjs';

const { openCore } = await load('core/core.ts');
const { GAP, ONLINE, SIGNAL, WAKE } = await load('core/operations.ts');
const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example' };

describe('a core in want of its rest', () => {
  it('takes a call back that needs the rest, and makes it and what follows once that is there', () => {
    const fake = Object.assign(new FakeCore(), { isShort: true });
    const { exports } = fake;
    const answers = [];
    const effects = Array.from({ length: 24 }, () => () => {});
    effects[13] = (value) => answers.push(value);
    const [core, completion] = openCore(exports, effects);
    core(ONLINE);
    core(WAKE);
    assert.deepEqual([fake.calls, completion.isHolding()], [[['wake']], false]);
    const before = new Uint8Array(exports.memory.buffer).slice();
    core(GAP);
    assert.deepEqual([exports.stack.value, completion.isHolding()], [4_096, true]);
    assert.deepEqual(Buffer.compare(new Uint8Array(exports.memory.buffer), before), 0);
    core(WAKE);
    core(SIGNAL, 'views', undefined);
    assert.deepEqual(fake.calls, [['wake']], 'what comes behind it waits as well');
    fake.isShort = false;
    completion.complete();
    assert.deepEqual(
      fake.calls,
      [['wake'], ['online', 0], ['gap'], ['wake']],
      'a question is not asked later',
    );
    assert.ok(!completion.isHolding());
    fake.next('signal', ['answer', 3]);
    core(SIGNAL, 'views', undefined);
    assert.deepEqual(answers, [3]);
  });
});

describe('a core that asks about patterns', () => {
  it('has each question of what has waited answered before the next call is made', () => {
    const fake = Object.assign(new FakeCore(), { isShort: true });
    const [core, completion] = openCore(
      fake.exports,
      Array.from({ length: 24 }, () => () => {}),
    );
    core(GAP);
    core(WAKE);
    fake.next('gap', ['match', '\n^a\nabc']);
    fake.next('wake', ['match', '\n^b\nabc']);
    fake.isShort = false;
    completion.complete();
    assert.deepEqual(fake.calls, [['gap'], ['matches', [1]], ['wake'], ['matches', [0]]]);
  });
});

describe('a page in want of the rest of its core', () => {
  let page;
  let attune;
  let errors;

  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  async function start(options = {}) {
    page = openPage({ isShort: true, ...options });
    page.answers['/v1/bundle'] = () => new Response(Uint8Array.of(1, 2, 3));
    page.core.next('namedBundle', decision('hero', { rule: 'welcome', actions: [] }));
    attune = (await load('index.ts')).init(OPTIONS);
    errors = [];
    attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
    await page.load('namedBundle');
  }
  const callsIn = async () => (await allIn(page.database)).filter(([key]) => key[1] === 'call');
  const isReady = async () => {
    const pending = {};
    return (await Promise.race([attune.ready.then(() => true), settle().then(() => pending)])) !== pending;
  };

  it('decides, and stores what is captured; then makes those calls and sends', async () => {
    await start();
    assert.equal(attune.decision('hero')?.rule, 'welcome');
    const id = attune.track('view');
    await written();
    assert.deepEqual(
      (await callsIn()).map(([, [method, { id }]]) => [method, id]),
      [['track', id]],
    );
    assert.deepEqual([page.core.of('track'), page.posts, await isReady()], [[], [], false]);
    assert.equal(attune.signal('views'), undefined);
    await page.loadRest();
    assert.deepEqual([page.core.of('track').length, await isReady()], [1, true]);
    await written();
    assert.deepEqual(await callsIn(), []);
    const [{ events }] = page.posts.map(({ text }) => JSON.parse(text));
    assert.deepEqual([events.map(({ event_id }) => event_id), errors], [[id], []]);
  });

  it('leaves to the next page what it could not make', async () => {
    await start();
    const id = attune.track('view');
    page.dispatch('pagehide', { persisted: false });
    await written();
    const calls = await callsIn();
    assert.deepEqual(
      calls.map(([, [, capture]]) => capture.id),
      [id],
    );
    await page.loadRest();
    assert.deepEqual(page.core.of('track'), [], 'another page may have made it meanwhile');
  });

  it('goes on deciding, says why, and delivers, where the rest is not there', async () => {
    await start();
    const id = attune.track('view');
    await page.loadRest(false);
    await assert.rejects(attune.ready, { code: 'wasm_unavailable' });
    assert.match(errors.join(), /attune_rest\.wasm did not load/);
    assert.equal(attune.decision('hero')?.rule, 'welcome');
    while (!page.posts.length) await written();
    await written();
    const events = page.posts.flatMap(({ text }) => JSON.parse(text).events);
    assert.deepEqual([events.map(({ event_id }) => event_id), await callsIn(), errors.length], [[id], [], 1]);
    assert.equal(attune.decision('hero')?.rule, 'welcome');
  });
});
