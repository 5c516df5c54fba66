/** The public API over a stand-in for the core. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { decision } from './core.mjs';
import { load } from './load.mjs';
import { closePage, openPage, settle, store } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };

describe('attune', () => {
  let init;
  let page;
  let attune;

  beforeEach(async () => {
    page = openPage();
    ({ init } = await load('index.ts'));
    attune = init(OPTIONS);
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  /** Makes the core say something at the next event. */
  const say = (...effects) => {
    page.core.next('track', ...effects);
    attune.track('anything');
  };

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

  it('says that it failed where its WebAssembly cannot start', async () => {
    page.core.on_start = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    page.load('start');
    await assert.rejects(attune.ready, { code: 'internal', message: /unreachable/ });
  });

  it('takes null for no metadata', async () => {
    const core = await page.load();
    attune.track('view', null, { priority: 'critical' });
    assert.deepEqual([core.of('track')[0][5], core.of('track')[0][7]], [2, undefined]);
  });

  it('keeps calls until it is loaded, in order, with the ids it has returned', async () => {
    const first = attune.track('view', { a: 1 });
    attune.identify('user-1', { plan: 'gold' });
    const second = attune.track('view', undefined, { priority: 'critical' });
    const core = await page.load();
    const buffered = ['context', 'track', 'identify', 'track', 'track'];
    const names = core.calls.map(([name]) => name).filter((name) => buffered.includes(name));
    assert.deepEqual(names, buffered);
    const [a, , b] = core.of('track');
    assert.deepEqual([a[1], a[2], a[5], a[7]], [first, 'view', 1, [7, { a: 1 }]]);
    assert.deepEqual([b[1], b[5], b[7]], [second, 2, undefined]);
    assert.ok(Math.abs(a[3] - Date.now()) < 5_000);
    assert.equal(a[4], b[4]);
  });

  it('stores the calls of a page that leaves before it is loaded, for the next page load', async () => {
    const id = attune.track('view');
    page.dispatch('pagehide');
    await attune.shutdown();
    const { entries } = page;
    const key = [...entries.keys()].find((name) => name.startsWith('attune/demo/calls/'));
    page = openPage({ entries });
    attune = (await load('index.ts')).init(OPTIONS);
    const core = await page.load();
    assert.equal(core.of('track')[0][1], id);
    assert.deepEqual([typeof key, entries.has(key)], ['string', false]);
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
      () => attune.track('view', { toJSON: () => 'no object' }),
      () => attune.track('view', {}, { priority: 'urgent' }),
    ]) {
      assert.match(call(), /^[0-9a-f-]{36}$/);
    }
    attune.identify('');
    attune.group('x'.repeat(101));
    attune.setContext('nonsense');
    await settle();
    assert.deepEqual(codes, [
      'event_type_missing',
      'event_type_missing',
      'event_type_reserved',
      'json_invalid',
      'json_invalid',
      'json_invalid',
      'priority_unknown',
      'id_invalid',
      'id_invalid',
      'json_invalid',
    ]);
    assert.deepEqual((await page.load()).of('track'), []);
  });

  it('hands errors from before the first listener to that listener', async () => {
    await attune.shutdown();
    Object.defineProperty(globalThis.window, 'localStorage', {
      get() {
        throw new Error('blocked');
      },
    });
    globalThis.indexedDB = {
      open() {
        throw new DOMException('blocked', 'SecurityError');
      },
    };
    attune = init(OPTIONS);
    await page.load();
    const heard = [];
    attune.onError((error) => heard.push([error.code, error.kind]));
    assert.deepEqual(heard, [['storage_blocked', 'environment']]);
  });

  it('tells listeners of a slot what fills it, at once and at every change', async () => {
    await page.load();
    const rules = [];
    const stop = attune.onDecision('hero', (decision) => rules.push(decision?.rule));
    say(decision('hero', { rule: 'a' }));
    attune.onDecision('hero', (decision) => rules.push(`late ${decision?.rule}`));
    stop();
    say(decision('hero', undefined));
    assert.deepEqual(rules, ['a', 'late a', 'late undefined']);
    assert.equal(attune.decision('hero'), undefined);
  });

  it('outlives a listener that throws', async () => {
    await page.load();
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    let called = false;
    attune.onDecision('hero', () => {
      throw new Error('mine');
    });
    attune.onDecision('hero', () => {
      called = true;
    });
    say(decision('hero', { rule: 'a' }));
    assert.deepEqual([called, codes], [true, ['listener_failed']]);
  });

  it('answers with the fallback until a decision gives a value of its type', async () => {
    assert.equal(attune.variable('tone', 'cool'), 'cool');
    assert.equal(attune.signal('views'), undefined);
    const core = await page.load();
    say(
      decision('z', { rule: 'late', actions: [[6, 'tv', 'tone', 'hot']] }),
      decision('hero', { rule: 'a', actions: [[6, 'tv', 'tone', 'warm']] }),
    );
    assert.equal(attune.variable('tone', 'cool'), 'warm');
    assert.equal(attune.variable('tone', 1), 1);
    assert.equal(attune.variable('missing', 'cool'), 'cool');
    core.next('signal', ['answer', 3]);
    assert.equal(attune.signal('views', 'lamps'), 3);
    assert.deepEqual(core.of('signal'), [['signal', 'views', 'lamps']]);
    assert.equal(attune.signal('views'), undefined);
  });

  it('tracks what has been shown as an event of its own', async () => {
    const core = await page.load();
    say(['shown', 'a', '']);
    const [, , type, , , , , metadata] = core.of('track')[1];
    assert.deepEqual([type, metadata[1]], ['attune.shown', { rule: 'a', key: '' }]);
  });

  it('tracks an exposure under the id that the core has derived', async () => {
    const core = await page.load();
    const id = '917b24a2-2920-8421-b4be-2432e5e3e198';
    say(['exposed', id, 'checkout', 'b', 2]);
    const [, tracked, type, , , , , metadata] = core.of('track')[1];
    const said = { experiment: 'checkout', variation: 'b', bucket_version: 2 };
    assert.deepEqual([tracked, type, metadata[1]], [id, 'attune.exposure', said]);
  });

  it('survives a fault of the WebAssembly half', async () => {
    const core = await page.load();
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    core.on_track = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    assert.match(attune.track('view'), /^[0-9a-f-]{36}$/);
    assert.deepEqual(codes, ['internal']);
  });

  it('ends on shutdown and can begin again', async () => {
    const core = await page.load();
    await attune.shutdown();
    assert.deepEqual(core.calls.at(-1), ['farewell', 1]);
    const codes = [];
    attune.onError((error) => codes.push(error.code));
    attune.track('late');
    await settle();
    assert.deepEqual(codes, ['shut_down']);
    const ended = attune;
    attune = init(OPTIONS);
    assert.notEqual(attune, ended);
    await attune.ready;
  });

  it('keeps no session once it has ended, neither for a late call nor where it ended before it was loaded', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const session = 'attune/demo/session';
    await attune.shutdown();
    await page.load('farewell');
    t.mock.timers.tick(1_000);
    assert.equal(page.entries.get(session), undefined);
    attune = init(OPTIONS);
    await attune.ready;
    await attune.shutdown();
    assert.match(page.entries.get(session), / /);
    page.entries.set(session, 'of another page');
    attune.track('late');
    t.mock.timers.tick(1_000);
    assert.equal(page.entries.get(session), 'of another page');
  });

  it('ends what is loaded after shutdown where the visitor has not agreed either', async () => {
    await attune.shutdown();
    attune = init({ ...OPTIONS, consent: { analytics: 'unknown', personalization: 'unknown' } });
    await attune.shutdown();
    const core = await page.load();
    // What runs would ask what is to be sent.
    assert.deepEqual([core.of('start').length, core.of('poll').length], [2, 0]);
  });

  it('hears of a refused event with its type, code and limit, and its neighbours go on', async () => {
    const core = await page.load();
    const errors = [];
    attune.onError(({ code, message, kind }) => errors.push([code, message, kind]));
    attune.track('refused');
    attune.track('view');
    await settle();
    const message = 'refused: metadata is 40,112 bytes; the limit is 31,744';
    assert.deepEqual(errors, [['metadata_too_large', message, 'usage']]);
    assert.equal(core.seq, 1);
  });

  it('leaves the context as it was where the core cannot read a change, and says why', async () => {
    const core = await page.load();
    const errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
    attune.setContext({ plan: 'gold' });
    core.next('context', ['failed', 'input_unreadable']);
    attune.setContext({ deep: [[[]]] });
    attune.setContext({ seats: 3 });
    const [, , context] = core.of('context').at(-1);
    assert.deepEqual([context.plan, context.seats, 'deep' in context], ['gold', 3, false]);
    await settle();
    assert.deepEqual(errors, [
      ['json_too_deep', 'usage', 'setContext: values must be nested at most 32 deep'],
    ]);
  });

  it('passes on what the visitor has said of each purpose, and keeps what was said before', async () => {
    const errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
    attune.consent({ personalization: 'unknown' });
    const core = await page.load();
    attune.consent({ analytics: 'denied' });
    attune.consent({ personalization: 'granted', ads: 'granted' });
    attune.consent({ personalization: 'granted' });
    assert.deepEqual(
      core.of('consent').map(([, granted]) => granted),
      [3, 1, 5],
    );
    await settle();
    const message = 'consent: purpose must be one of functional, analytics, personalization, got "ads"';
    assert.deepEqual(errors, [['consent_invalid', 'usage', message]]);
  });

  it('starts with the consent of its options, before anything is decided', async () => {
    await attune.shutdown();
    attune = init({ ...OPTIONS, consent: { personalization: 'denied' } });
    const { calls } = await page.load('consent');
    const names = calls.map(([name]) => name);
    assert.deepEqual(calls[names.lastIndexOf('consent')], ['consent', 3]);
    assert.ok(names.indexOf('consent') < names.indexOf('context'));
  });

  it('knows context and consent before stored rules decide anything', async () => {
    await attune.shutdown();
    const database = new IDBFactory();
    await store(database, [['bundle', new Uint8Array([7])]]);
    page = openPage({ database });
    attune = init({ ...OPTIONS, consent: { personalization: 'denied' } });
    const { calls } = await page.load('namedBundle');
    const names = calls.map(([name]) => name);
    const decided = names.indexOf('namedBundle');
    assert.ok(names.indexOf('consent') < decided && names.indexOf('context') < decided, String(names));
  });

  it('refuses what is no callback at the call', async () => {
    const errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
    attune.onDecision('hero')();
    await settle();
    assert.deepEqual(errors, [['callback_invalid', 'usage', 'onDecision: callback must be a function']]);
  });

  it('merges context fields, and null removes one', async () => {
    const core = await page.load();
    attune.setContext({ cart: { items: 2 }, locale: null });
    attune.setContext({ cart: { items: 3 } });
    const [, bytes, context] = core.of('context').at(-1);
    assert.deepEqual(
      [context.cart, 'locale' in context, context.device],
      [{ items: 3 }, false, { class: 'desktop', viewport: { width: 1200, height: 800 } }],
    );
    assert.equal(bytes, Buffer.byteLength(JSON.stringify(context)));
  });

  it('refuses a priority in the place of the options', async () => {
    const core = await page.load();
    const errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
    assert.match(attune.track('view', {}, 'critical'), /^[0-9a-f-]{36}$/);
    attune.track('view', {}, null);
    assert.equal(core.of('track').length, 1);
    await settle();
    const message = `track: options of "view" must be an object, such as { priority: 'critical' }`;
    assert.deepEqual(errors, [['priority_unknown', 'usage', message]]);
  });

  it('puts a refused key on the console once where nobody listens', async () => {
    const said = [];
    const { error } = console;
    console.error = (line) => said.push(line);
    page.answers['/v1/events'] = () =>
      Response.json({ code: 'key_unknown', message: 'no such key' }, { status: 401 });
    try {
      await page.load();
      for (let call = 0; call < 3; call += 1) {
        attune.track('view');
        await settle();
      }
    } finally {
      console.error = error;
    }
    assert.deepEqual(said, [
      'attune: collector_refused: https://shop.example/v1/events?k=demo refuses events: 401: key_unknown: no such key',
    ]);
  });

  it('asks the site’s own filter of held events only when they are taken', async () => {
    await attune.shutdown();
    const asked = [];
    const beforeSend = ({ event_type, metadata }) => {
      asked.push(event_type);
      return event_type === 'secret' ? null : { metadata: { ...metadata, seen: true } };
    };
    const unknown = { analytics: 'unknown', personalization: 'unknown' };
    attune = init({ ...OPTIONS, beforeSend, consent: unknown });
    const core = await page.load('start');
    attune.track('view', { a: 1 });
    attune.track('secret');
    assert.deepEqual(asked, []);
    attune.consent({ analytics: 'granted' });
    await page.load('track');
    assert.deepEqual(asked, ['view', 'secret']);
    assert.deepEqual(
      core.of('track').map((fields) => fields[7][1]),
      [{ a: 1, seen: true }],
    );
    attune.consent({ analytics: 'denied', personalization: 'denied' });
    attune.track('view');
    assert.equal(asked.length, 2);
  });

  describe('campaign', () => {
    /** The campaign of a page with this query; the storage is that of the pages before. */
    const campaignOf = async (search, { entries, track = true } = {}) => {
      await attune.shutdown();
      page = openPage({ search, entries });
      attune = (await load('index.ts')).init(OPTIONS);
      const core = await page.load();
      // Until then calls are kept, those of the context as well.
      await attune.ready;
      if (track) attune.track('view');
      page.dispatch('pagehide');
      return core.of('context').at(-1)[2].campaign;
    };

    it('is what the address says, by the names of the parameters', async () => {
      const search =
        '?utm_source=news&utm_medium=e-mail&utm_campaign=fall&utm_term=a%20b&utm_content=top&gclid=1&fbclid=2&msclkid=3&wbraid=4&utm_id=&clid=x&q=shoes';
      assert.deepEqual(await campaignOf(search), {
        ...{ source: 'news', medium: 'e-mail', name: 'fall', term: 'a b', content: 'top' },
        ...{ gclid: '1', fbclid: '2', msclkid: '3', wbraid: '4' },
      });
    });

    it('stays for the pages of the same session, until another address names one', async () => {
      assert.equal(await campaignOf('?q=shoes'), undefined);
      const { entries } = page;
      assert.deepEqual(await campaignOf('?utm_source=a', { entries }), { source: 'a' });
      assert.deepEqual(await campaignOf('', { entries, track: false }), { source: 'a' });
      assert.deepEqual(await campaignOf('?gclid=7', { entries }), { gclid: '7' });
      assert.deepEqual(await campaignOf('', { entries }), { gclid: '7' });
    });

    it('is gone with its session', async () => {
      await campaignOf('?utm_source=a');
      // A copy, as the page writes its session once more when it ends.
      const entries = new Map(page.entries);
      const [id, began, last] = entries
        .get('attune/demo/session')
        .split(' ')
        .map((part, at) => (at ? Number(part) : part));
      entries.set('attune/demo/session', [id, began - 3_600_000, last - 3_600_000].join(' '));
      assert.equal(await campaignOf('', { entries }), undefined);
    });
  });

  it('keeps decisions in order when a listener tracks', async () => {
    const core = await page.load();
    const rules = [];
    attune.onDecision('a', () => {
      core.next('track', decision('b', { rule: 'newer' }));
      attune.track('inner');
    });
    attune.onDecision('b', (decision) => rules.push(decision?.rule));
    say(decision('a', { rule: 'first' }), decision('b', { rule: 'older' }));
    assert.deepEqual([rules, attune.decision('b').rule], [['older', 'newer'], 'newer']);
  });

  it('gives a decision as the public API describes it', async () => {
    await page.load();
    const filling = { rule: 'third-view', key: 'bags', reason: 1, actions: [[6, 'tv', 'tone', ['warm', 1]]] };
    say(decision('hero', filling));
    assert.deepEqual(attune.decision('hero'), {
      slot: 'hero',
      rule: 'third-view',
      key: 'bags',
      reason: 'latched',
      since: '1970-01-01T00:00:00.000Z',
      variables: { tone: ['warm', 1] },
    });
  });

  it('compiles while it loads only what is sent as WebAssembly', async () => {
    await attune.shutdown();
    const { instantiateStreaming } = WebAssembly;
    const ways = [];
    WebAssembly.instantiateStreaming = async () => {
      ways.push('streamed');
      return { instance: { exports: page.core.exports } };
    };
    const headers = { 'content-type': 'application/wasm' };
    globalThis.fetch = async (url) =>
      String(url).endsWith('wasm') ? new Response('', { headers }) : new Response('', { status: 404 });
    attune = init(OPTIONS);
    await attune.ready;
    WebAssembly.instantiateStreaming = instantiateStreaming;
    assert.deepEqual(ways, ['streamed', 'streamed'], 'the first file, and the rest');
  });
});
