/** What calls do not take: each is told in words, and the page gets no exception. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

describe('a call', () => {
  let page;
  let attune;
  let core;
  let errors;

  beforeEach(async () => {
    page = openPage();
    attune = (await load('index.ts')).init({ writeKey: 'demo', collector: '/' });
    core = await page.load();
    errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  for (const [name, call, message] of [
    ['page with a text', () => attune.page('hats'), 'track: metadata of "page_view"'],
    ['page with a list', () => attune.page([1, 2]), 'track: metadata of "page_view"'],
    ['identify with a text', () => attune.identify('x', 'pro'), 'identify: traits'],
    ['group with a text', () => attune.group('g', 'x'), 'group: traits'],
    ['group with a list', () => attune.group('g', ['x']), 'group: traits'],
  ]) {
    it(`takes objects alone: ${name}`, async () => {
      call();
      await settle();
      assert.deepEqual(errors, [['json_invalid', 'usage', `${message} must be an object`]]);
      assert.deepEqual([core.of('track'), core.of('identify')], [[], []]);
    });
  }

  it('takes null for nothing to say', async () => {
    attune.page(null);
    attune.identify('x', null, null);
    attune.group('g', null);
    await settle();
    assert.deepEqual([core.of('track').length, errors], [3, []]);
  });

  for (const [name, call, message] of [
    ['track', () => attune.track('x', {}, { prio: 'low', id: 7 }), '"prio", "id"; known is "priority"'],
    ['identify', () => attune.identify('a', {}, { prof: 'x' }), '"prof"; known is "proof"'],
  ]) {
    it(`is made, and names options that it does not have: ${name}`, async () => {
      call();
      await settle();
      assert.deepEqual(errors, [['option_unknown', 'usage', `${name}: unknown option ${message}`]]);
      assert.equal(core.of('track').length, 1);
    });
  }

  it('is made, and says that options are an object', async () => {
    attune.identify('a', {}, 'proof');
    await settle();
    const message = 'identify: options must be an object, such as { proof: … }';
    assert.deepEqual(errors, [['option_unknown', 'usage', message]]);
    assert.equal(core.of('track').length, 1);
  });

  it('is told by code and subject where the words do not load, with the stack of the call', async () => {
    await attune.shutdown();
    const { Attune } = await load('attune.ts');
    const loadWords = () => Promise.reject(new TypeError('offline'));
    attune = new Attune({
      ...{
        writeKey: 'demo',
        collector: 'https://collector.example',
        defaultWasmUrl: '/sdk/attune_first.wasm',
      },
      consent: { functional: 'granted', analytics: 'granted', personalization: 'granted' },
      ...{ withoutWasm: [], context: {}, loadWords, loadCapturing: () => load('capturing.ts') },
    });
    const told = [];
    attune.onError((error) => told.push(error));
    (function siteCode() {
      attune.group('');
    })();
    await settle();
    const [{ code, kind, message, stack }] = told.filter(({ code }) => code === 'id_invalid');
    assert.deepEqual([code, kind, message], ['id_invalid', 'usage', 'group']);
    assert.match(stack, /siteCode/);
  });
});

describe('the WebAssembly of a page', () => {
  afterEach(closePage);

  it('is the site’s mistake where something else is at its address', async () => {
    openPage();
    WebAssembly.instantiate = () => Promise.reject(new WebAssembly.CompileError('expected magic word'));
    globalThis.fetch = async () => new Response('<!doctype html>');
    const { loadCore } = await load('core-loading.ts');
    await assert.rejects(loadCore('https://shop.example/core.wasm'), {
      code: 'wasm_unavailable',
      kind: 'usage',
      message: 'https://shop.example/core.wasm did not load: CompileError: expected magic word',
    });
  });
});
