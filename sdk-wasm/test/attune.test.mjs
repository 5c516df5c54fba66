/** The public API over a stand-in for the WebAssembly half. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './load.mjs';

/** Records every call; the test decides when it is loaded. */
const GLUE = `
  export class Shell {
    constructor(host) {
      globalThis.shell = this;
      this.host = host;
      this.calls = [];
    }
  }
  for (const name of ['track', 'identify', 'reset', 'set_context', 'follow', 'flush', 'shutdown']) {
    Shell.prototype[name] = function (...values) { this.calls.push([name, ...values]); };
  }
  Shell.prototype.variable = (name) => (name === 'tone' ? '"warm"' : undefined);
  Shell.prototype.signal = () => '3';
  export default () => globalThis.loading;
`;
const OPTIONS = { writeKey: 'demo', collector: '/' };

/** As much of a page as the surface asks for. */
function openPage() {
  const entries = new Map();
  const target = new EventTarget();
  const page = {
    document: { baseURI: 'https://shop.example/', title: 'Shop', referrer: '', hidden: false },
    location: { href: 'https://shop.example/', pathname: '/', search: '' },
    localStorage: {
      getItem: (key) => entries.get(key) ?? null,
      setItem: (key, value) => void entries.set(key, value),
      removeItem: (key) => void entries.delete(key),
      key: (index) => [...entries.keys()][index] ?? null,
      get length() {
        return entries.size;
      },
    },
    matchMedia: () => ({ matches: true, addEventListener() {} }),
    addEventListener: target.addEventListener.bind(target),
    dispatchEvent: target.dispatchEvent.bind(target),
    fetch: async () => new Response(),
  };
  Object.assign(globalThis, page, { window: page });
  Object.defineProperty(globalThis, 'navigator', { value: { language: 'en-GB' }, configurable: true });
  return { page, entries };
}

describe('attune', () => {
  let init;
  let entries;
  let page;
  let loaded;
  let attune;

  beforeEach(async () => {
    ({ page, entries } = openPage());
    const { promise, resolve } = withResolvers();
    globalThis.loading = promise;
    globalThis.shell = undefined;
    loaded = async () => {
      resolve();
      await sleep(1);
      globalThis.shell.host.started();
      return globalThis.shell;
    };
    ({ init } = await load('index.ts', GLUE));
    attune = init(OPTIONS);
  });
  afterEach(() => attune.shutdown());

  const tracked = (shell) => shell.calls.filter(([name]) => name === 'track');

  it('is one instance per page, and refuses to become another', () => {
    assert.equal(init(OPTIONS), attune);
    assert.throws(() => init({ ...OPTIONS, writeKey: 'other' }), { code: 'already_initialised' });
  });

  it('says at once that its WebAssembly file is not there', async () => {
    await attune.shutdown();
    globalThis.fetch = async () => new Response('', { status: 404 });
    attune = init(OPTIONS);
    await assert.rejects(attune.ready, { code: 'wasm_unavailable', message: /status 404/ });
  });

  it('keeps calls until it is loaded, in order, with the ids it has returned', async () => {
    const first = attune.track('view', { a: 1 });
    attune.identify('user-1', { plan: 'gold' });
    const second = attune.track('view', undefined, { priority: 'critical' });
    const shell = await loaded();
    assert.deepEqual(
      shell.calls.map(([name]) => name),
      ['set_context', 'track', 'identify', 'track', 'track'],
    );
    const [a, , b] = tracked(shell);
    assert.deepEqual([a[1], a[2], a[5], a[6]], [first, 'view', '{"a":1}', 1]);
    assert.deepEqual([b[1], b[5], b[6]], [second, undefined, 2]);
    assert.ok(Math.abs(a[3] - Date.now()) < 5_000);
    assert.equal(a[4], b[4]);
  });

  it('stores the calls of a page that leaves before it is loaded, for the next page load', async () => {
    const id = attune.track('view');
    page.dispatchEvent(new Event('pagehide'));
    const key = [...entries.keys()].find((name) => name.startsWith('attune/demo/calls/'));
    const next = (await load('index.ts', GLUE)).init(OPTIONS);
    const shell = await loaded();
    assert.equal(tracked(shell)[0][1], id);
    assert.equal(entries.has(key), false);
    await next.shutdown();
  });

  it('never throws for what is wrong with a call, and tells onError', async () => {
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    const cyclic = {};
    cyclic.self = cyclic;
    for (const call of [
      () => attune.track(''),
      () => attune.track(7),
      () => attune.track('attune.identify'),
      () => attune.track('view', cyclic),
      () => attune.track('view', [1]),
      () => attune.track('view', {}, { priority: 'urgent' }),
    ]) {
      assert.match(call(), /^[0-9a-f-]{36}$/);
    }
    attune.identify('');
    attune.group('x'.repeat(101));
    attune.setContext('nonsense');
    assert.deepEqual(codes, [
      'event_type_missing',
      'event_type_missing',
      'event_type_reserved',
      'json_invalid',
      'json_invalid',
      'priority_unknown',
      'id_invalid',
      'id_invalid',
      'json_invalid',
    ]);
    assert.deepEqual(tracked(await loaded()), []);
  });

  it('hands errors from before the first listener to that listener', async () => {
    const shell = await loaded();
    shell.host.error('storage_blocked', 'the browser blocks localStorage', false);
    const heard = [];
    attune.onError((error) => heard.push([error.code, error.kind]));
    assert.deepEqual(heard, [['storage_blocked', 'environment']]);
  });

  it('tells listeners of a slot what fills it, at once and at every change', async () => {
    const shell = await loaded();
    const rules = [];
    const stop = attune.onDecision('hero', (decision) => rules.push(decision?.rule));
    shell.host.decision('hero', '{"slot":"hero","rule":"a"}');
    attune.onDecision('hero', (decision) => rules.push(`late ${decision?.rule}`));
    stop();
    shell.host.decision('hero', undefined);
    assert.deepEqual(rules, ['a', 'late a', 'late undefined']);
    assert.equal(attune.decision('hero'), undefined);
  });

  it('outlives a listener that throws', async () => {
    const shell = await loaded();
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    let called = false;
    attune.onDecision('hero', () => {
      throw new Error('mine');
    });
    attune.onDecision('hero', () => {
      called = true;
    });
    shell.host.decision('hero', '{"slot":"hero","rule":"a"}');
    assert.deepEqual([called, codes], [true, ['listener_failed']]);
  });

  it('answers with the fallback until a decision gives a value of its type', async () => {
    assert.equal(attune.variable('tone', 'cool'), 'cool');
    assert.equal(attune.signal('views'), undefined);
    await loaded();
    assert.equal(attune.variable('tone', 'cool'), 'warm');
    assert.equal(attune.variable('tone', 1), 1);
    assert.equal(attune.variable('missing', 'cool'), 'cool');
    assert.equal(attune.signal('views'), 3);
  });

  it('tracks what has been shown as an event of its own', async () => {
    const shell = await loaded();
    shell.host.shown('{"rule":"a","key":""}');
    assert.deepEqual(tracked(shell)[0].slice(2, 3).concat(tracked(shell)[0][5]), [
      'attune.shown',
      '{"rule":"a","key":""}',
    ]);
  });

  it('survives a fault of the WebAssembly half', async () => {
    const shell = await loaded();
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    shell.track = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    assert.match(attune.track('view'), /^[0-9a-f-]{36}$/);
    assert.deepEqual(codes, ['internal']);
  });

  it('ends on shutdown and can begin again', async () => {
    const shell = await loaded();
    await attune.shutdown();
    assert.deepEqual(shell.calls.at(-1), ['shutdown']);
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    attune.track('late');
    assert.deepEqual(codes, ['shut_down']);
    assert.notEqual(init(OPTIONS), attune);
  });
});

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
