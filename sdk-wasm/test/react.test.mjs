/** What the hooks of `attune/react` read, over an instance that a test drives. Its components are tested by `tests/packaging`. */

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';

const { openStore } = await load('react/store.ts');
const PORT = Symbol.for('attune.devtools');

describe('the store of attune/react', () => {
  let attune;
  let starts;
  let goLive;
  let fail;
  beforeEach(() => {
    starts = 0;
    const decisions = new Map();
    attune = {
      ready: new Promise((ready, failed) => {
        goLive = ready;
        fail = failed;
      }),
      [PORT]: {},
      decisions,
      decision: (slot) => decisions.get(slot),
      variable: (name, fallback) => decisions.get('hero')?.variables[name] ?? fallback,
      signal: (name, key) => `${name}/${key}`,
      track: (...call) => call.join(),
    };
  });
  const start = () => {
    starts += 1;
    return attune;
  };
  const turn = () => new Promise((done) => setImmediate(done));
  const change = () => attune[PORT].changed?.();
  const given = (slot, rule, variables) => ({
    slot,
    rule,
    key: null,
    reason: 'level',
    actions: [
      { kind: 'text', target: '#hero', value: 'Hello' },
      ...Object.entries(variables).map(([name, value]) => ({ kind: 'variable', name, value })),
    ],
  });

  it('starts nothing by being opened or read, and once by whoever needs it', () => {
    const store = openStore(start, []);
    assert.equal(store.decision('hero'), undefined);
    assert.equal(store.variable('title', 'Hi'), 'Hi');
    assert.equal(store.signal('views', 'hats'), undefined);
    assert.equal(starts, 0);
    assert.equal(store.track('view', 7), 'view,7,');
    store.subscribe(() => {})();
    store.subscribe(() => {});
    assert.equal(store.attune(), attune);
    assert.equal(starts, 1);
    assert.equal(store.signal('views', 'hats'), 'views/hats');
  });

  it('tells everybody once, after the call that changed something', async () => {
    const store = openStore(start, []);
    const told = [];
    const twice = () => told.push('twice');
    const stops = [store.subscribe(twice), store.subscribe(twice), store.subscribe(() => told.push('other'))];
    change();
    change();
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual(told, ['twice', 'twice', 'other']);
    stops[0]();
    change();
    await turn();
    assert.deepEqual(told.slice(3), ['twice', 'other']);
  });

  it('leaves nothing behind at the instance when the last one has gone, nor in the way of others', async () => {
    const store = openStore(start, []);
    const told = [];
    const stop = store.subscribe(() => told.push('first'));
    stop();
    stop();
    assert.equal(attune[PORT].changed, undefined);
    const earlier = store.subscribe(() => told.push('again'));
    const panel = attune[PORT].changed;
    attune[PORT].changed = () => panel();
    earlier();
    change();
    await turn();
    assert.deepEqual(told, []);
  });

  it('gives what the server has decided until decisions are live, but for what the page has decided already', async () => {
    const decisions = [
      given('zone', 'last', { title: 'Zone', count: 1 }),
      given('hero', 'server', { title: 'Hero' }),
      { slot: 'none', rule: null, key: null, reason: null, actions: [] },
    ];
    const store = openStore(start, decisions);
    const hero = { slot: 'hero', rule: 'server', reason: 'level', variables: { title: 'Hero' } };
    assert.deepEqual(store.given.decision('hero'), hero);
    assert.equal(store.given.decision('hero'), store.given.decision('hero'));
    assert.equal(store.given.decision('none'), undefined);
    const told = [];
    store.subscribe(() => told.push(store.variable('title', 'Hi')));
    assert.deepEqual(store.decision('hero'), hero);
    // The first slot by name counts, and a value of another type does not.
    assert.deepEqual(
      [store.variable('title', 'Hi'), store.variable('count', 'Hi'), store.variable('count', 0)],
      ['Hero', 'Hi', 1],
    );
    attune.decisions.set('hero', { slot: 'hero', rule: 'page', variables: { title: 'Page' } });
    assert.equal(store.decision('hero').rule, 'page');
    assert.equal(store.variable('title', 'Hi'), 'Page');
    attune.decisions.clear();
    goLive();
    await turn();
    assert.equal(store.decision('hero'), undefined);
    assert.deepEqual(told, ['Hi']);
  });

  it('keeps to what the server has decided where the page cannot decide', async () => {
    const store = openStore(start, [given('hero', 'server', { title: 'Hero' })]);
    store.attune();
    fail(new Error('no WebAssembly'));
    await turn();
    assert.equal(store.decision('hero').rule, 'server');
    assert.equal(store.variable('title', 'Hi'), 'Hero');
  });

  it('refuses a start that is none, or gives nothing of what init gives', () => {
    const message = 'AttuneProvider: start must be a function that returns what init returns';
    for (const start of [undefined, attune, () => {}, () => null, async () => attune, () => ({})]) {
      const store = openStore(start, []);
      assert.throws(() => store.attune(), { name: 'AttuneError', code: 'option_invalid', message });
      assert.throws(() => store.track('view'), { message });
    }
  });

  it('gives what runs without starting it', () => {
    const store = openStore(start, []);
    assert.deepEqual([store.running(), starts], [undefined, 0]);
    store.subscribe(() => {});
    assert.deepEqual([store.running() === attune, starts], [true, 1]);
  });

  it('says what keeps it from starting, each time', () => {
    const store = openStore(() => {
      throw new TypeError('no key');
    }, []);
    assert.throws(() => store.attune(), /no key/);
    assert.throws(() => store.subscribe(() => {}), /no key/);
  });
});
