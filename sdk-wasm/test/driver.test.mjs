/** The driver over a stand-in for the core: what is stored, adopted, sent, settled and followed. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IDBDatabase } from 'fake-indexeddb';
import { decision } from './core.mjs';
import { load } from './load.mjs';
import { closePage, locksOf, openPage, settle, store, stored as storedIn, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example' };
const DAY_MS = 24 * 3_600_000;

/** An id of version 7 that was made at an instant. */
function idAt(ms, tail = 1) {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(tail).padStart(12, '0')}`;
}

/** An event as the database holds it. */
function stored(lane, seq, isSettled, fields = {}) {
  const event = {
    id: idAt(Date.now(), 7),
    type: 'view',
    ms: Date.parse('2026-11-20T10:00:01.003Z'),
    member: 'm0',
    lane,
    seq,
    user: 'user-1',
    session: idAt(Date.now(), 8),
    metadata: '{"a":1}',
    priority: 1,
    isSettled,
    ...fields,
  };
  return [[lane, seq], event];
}

describe('the driver', () => {
  let page;
  let attune;
  let errors;

  beforeEach(() => {
    page = openPage();
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  async function start(operation) {
    attune = (await load('index.ts')).init(OPTIONS);
    errors = [];
    attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
    return await page.load(operation);
  }
  const entry = (key) => storedIn(page.database, key);
  const local = (key) => page.entries.get(`attune/demo/${key}`);
  const putLocal = (key, text) => page.entries.set(`attune/demo/${key}`, text);

  it('stores an event within 50 ms under its lane and number, and the number as the lane’s count', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const core = await start();
    t.mock.timers.tick(50);
    const id = attune.track('view', { a: 'ü' });
    t.mock.timers.tick(49);
    assert.equal(await entry([core.lane, 1]), undefined);
    t.mock.timers.tick(1);
    const event = await entry([core.lane, 1]);
    assert.deepEqual([event.priority, event.member], [1, core.member]);
    assert.deepEqual([event.id, event.seq, event.metadata], [id, 1, '{"a":"ü"}']);
    assert.deepEqual(await entry(`lane/${core.lane}`), [core.member, core.lane, 1]);
    assert.deepEqual([await entry('member'), local('member')], [core.member, core.member]);
  });

  it('begins the write of a critical event at once, as one that waits for the disk', async () => {
    const core = await start();
    const { transaction } = IDBDatabase.prototype;
    const begun = [];
    IDBDatabase.prototype.transaction = function (stores, mode, options) {
      begun.push([mode, options?.durability]);
      return transaction.call(this, stores, mode, options);
    };
    attune.track('purchase', {}, { priority: 'critical' });
    IDBDatabase.prototype.transaction = transaction;
    assert.deepEqual(begun, [['readwrite', 'strict']]);
    await settle();
    assert.equal((await entry([core.lane, 1])).type, 'purchase');
  });

  it('sends the events of one task together, and marks what a receipt has settled', async () => {
    const core = await start();
    attune.identify('user-1');
    attune.track('view');
    assert.equal(page.posts.length, 0);
    await written();
    const batches = page.posts.filter(({ pathname }) => pathname === '/v1/events');
    assert.equal(batches.length, 1);
    const { events, context, lane } = JSON.parse(batches[0].text);
    assert.deepEqual(
      events.map(({ event_type, user_id, seq }) => [event_type, user_id, seq]),
      [
        ['attune.identify', 'user-1', 1],
        ['view', 'user-1', 2],
      ],
    );
    assert.deepEqual([context.clock_skew_ms, context.page.title, lane], [null, 'Shop', core.lane]);
    assert.equal((await entry([core.lane, 2])).isSettled, true);
  });

  it('gives the core the size of an event as the batch will have it, and of its metadata', async () => {
    const core = await start();
    attune.track('view', { text: 'ü'.repeat(100) });
    await settle();
    const [, , , , , , bytes, [metadataBytes]] = core.of('track')[0];
    const [event] = JSON.parse(page.posts[0].text).events;
    assert.equal(metadataBytes, Buffer.byteLength(JSON.stringify(event.metadata)));
    const beside = { anonymous_id: core.member, lane: core.lane };
    const written = Buffer.byteLength(JSON.stringify({ ...event, ...beside })) + 1;
    assert.ok(bytes >= written && bytes < written + 50, `${bytes} for ${written}`);
  });

  it('says what is wrong with the collector’s answers, once', async () => {
    const core = await start();
    const answers = [
      Response.json({ code: 'key_unknown', message: 'no such key' }, { status: 403 }),
      Response.json({ code: 'key_unknown', message: 'no such key' }, { status: 403 }),
      Response.json({ offending: [1, 'x', 2.5] }, { status: 413, headers: { 'retry-after': '7' } }),
      new Response('<html>'),
      undefined,
    ];
    page.answers['/v1/events'] = () => answers.shift() ?? Promise.reject(new TypeError('offline'));
    for (let count = answers.length; count > 0; count -= 1) {
      attune.track('view');
      await settle();
    }
    // Silence counts where the page is still there after a while.
    await sleep(200);
    assert.deepEqual(errors, [
      'collector_refused: https://collector.example/v1/events?k=demo refuses events: 403: key_unknown: no such key',
      'collector_refused: https://collector.example/v1/events?k=demo refuses events: 413',
      'receipt_invalid: https://collector.example/v1/events?k=demo answers with what is no receipt: is this a collector?',
    ]);
    assert.deepEqual(
      core.of('outcome').map(([, , ...outcome]) => outcome),
      [[1, 403, undefined, []], [1, 403, undefined, []], [1, 413, 7_000, [1, 2]], [0], [0]],
    );
  });

  it('passes a receipt’s rows on to the core and to onError', async () => {
    const core = await start();
    let id;
    page.answers['/v1/events'] = () =>
      Response.json({
        accepted: 1,
        clock_shift_ms: -5,
        results: [
          { event_id: id, result: 'rejected', code: 'too_old', message: 'older than a week' },
          { event_id: id, result: 'retry' },
          { event_id: id, result: 'warning', code: 'future' },
          { event_id: 'foreign', result: 'rejected' },
        ],
      });
    id = attune.track('view');
    await settle();
    assert.deepEqual(core.of('outcome')[0].slice(2), [
      2,
      1,
      -5,
      [
        [id, 1],
        [id, 2],
      ],
    ]);
    assert.deepEqual(errors, [
      `event_rejected: event ${id}: too_old: older than a week`,
      `event_warning: event ${id}: future: `,
      'event_rejected: event foreign: : ',
    ]);
  });

  it('takes back the lanes that no open page holds, and sends what waits there', async () => {
    const [gone, open] = [idAt(Date.now(), 1), idAt(Date.now(), 2)];
    page = openPage({ locks: locksOf([open]) });
    putLocal('member', 'm0');
    await store(page.database, [
      ['user', ['m0', 'user-1']],
      ['base', ['m0', Uint8Array.of(98, 255)]],
      ['latches', ['m1', Uint8Array.of(7)]],
      ...[gone, open].flatMap((lane) => [
        stored(lane, 1, false),
        stored(lane, 2, true),
        [`lane/${lane}`, ['m0', lane, 2]],
      ]),
      [[gone, 3], '[0,1,"m0"'],
      stored(gone, 4, false, { id: 'none' }),
    ]);
    const core = await start();
    await written();
    const given = core
      .of('storedEvent')
      .map(([, priority, settled, member, lane, seq]) => [priority, settled, member, lane, seq]);
    // What another page delivers is counted here.
    const others = [
      [1, 1, 'm0', open, 1],
      [1, 1, 'm0', open, 2],
    ];
    // Those are looked at again when they can be heard, and the core counts each once.
    assert.deepEqual(given, [[1, 0, 'm0', gone, 1], [1, 1, 'm0', gone, 2], ...others, ...others]);
    assert.deepEqual(core.of('restore')[0].slice(1), [Uint8Array.of(98, 255), undefined, 'user-1', []]);
    assert.deepEqual(core.of('restore')[1].slice(1), [undefined, undefined, undefined, [['m0', gone, 2]]]);
    const [batch] = page.posts.map(({ text }) => JSON.parse(text));
    const [{ anonymous_id, lane, seq, user_id, metadata }] = batch.events;
    // The sender is of the same member, so the batch names it once.
    assert.deepEqual([anonymous_id, lane, seq, user_id, metadata], [undefined, gone, 1, 'user-1', { a: 1 }]);
    const counts = [await entry(`lane/${gone}`), await entry(`lane/${open}`)];
    assert.deepEqual(counts, [undefined, ['m0', open, 2]]);
    const text = 'stored_entry_unreadable: a stored entry cannot be read: ';
    assert.deepEqual(errors, [`${text}${gone},3`, `${text}${gone},4`]);
    assert.deepEqual([await entry([gone, 3]), await entry([gone, 4])], [undefined, undefined]);
  });

  it('waits 250 ms for the browser’s word on a lane, then leaves it to the next page', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const silent = idAt(Date.now(), 1);
    const locks = locksOf([]);
    const request = (name, options, hold) =>
      name.endsWith(silent) ? new Promise(() => {}) : locks.request(name, options, hold);
    page = openPage({ locks: { request } });
    await store(page.database, [stored(silent, 1, false)]);
    const core = await start('start');
    t.mock.timers.tick(249);
    await settle();
    assert.equal(core.of('restore').length, 0);
    t.mock.timers.tick(1);
    await settle();
    assert.deepEqual(core.of('restore')[0].at(-1), []);
    assert.equal(core.of('storedEvent').length, 0);
  });

  it('takes a lane for over after 24 h where the browser has no locks', async () => {
    const [young, old] = [idAt(Date.now() - DAY_MS + 60_000, 1), idAt(Date.now() - DAY_MS - 60_000, 2)];
    const counts = [young, old].map((lane) => [`lane/${lane}`, ['m0', lane, 5]]);
    await store(page.database, counts);
    const core = await start();
    assert.deepEqual(core.of('restore')[0].at(-1), [['m0', old, 5]]);
  });

  it('stores what the core asks it to, and reports what the core cannot read', async () => {
    putLocal('member', 'm0');
    await store(page.database, [['latches', ['m0', Uint8Array.of(1, 2, 3)]]]);
    page.core.next('restore', ['unreadable', 1], ['put', 0, Uint8Array.of(0, 128, 255)]);
    await start();
    await written();
    assert.deepEqual(
      [await entry('latches'), await entry('base')],
      [undefined, ['m0', Uint8Array.of(0, 128, 255)]],
    );
    assert.deepEqual(errors, ['stored_entry_unreadable: a stored entry cannot be read: latches']);
  });

  it('says once that the time of a bundle is over', async () => {
    page.core.next('context', ['expired']);
    await start();
    assert.deepEqual(errors, ['bundle_expired: the time of the bundle is over; its rules have stopped']);
  });

  it('begins a new member on reset and forgets the user and the token of the one before', async () => {
    putLocal('token', 'm1\nsecret');
    putLocal('member', 'm1');
    const core = await start();
    attune.identify('user-1');
    attune.reset();
    assert.notEqual(core.member, 'm1');
    assert.deepEqual([local('member'), local('token')], [core.member, undefined]);
    attune.track('view');
    await written();
    assert.deepEqual([await entry('member'), await entry('user')], [core.member, undefined]);
    assert.equal((await entry([core.lane, 1])).user, undefined);
  });

  it('follows the member that another tab has stored', async () => {
    const core = await start();
    putLocal('member', 'm2');
    page.dispatch('storage', { key: 'attune/demo/member', newValue: 'm2' });
    assert.equal(core.member, 'm2');
    page.dispatch('storage', { key: 'attune/demo/member', newValue: 'm2' });
    assert.equal(core.of('follow').length, 1);
    // What is said late of a member who is not stored any more is of nobody.
    page.dispatch('storage', { key: 'attune/demo/member', newValue: 'm1' });
    assert.equal(core.member, 'm2');
  });

  it('stores everything and hands it to the browser when the page hides or leaves', async (t) => {
    // The background gets ready for that by itself where nothing happens for a while.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let answer;
    page.answers['/v1/events'] = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const core = await start();
    attune.track('first');
    await settle();
    attune.track('second');
    page.document.hidden = true;
    page.dispatch('visibilitychange');
    assert.deepEqual(core.of('farewell'), [['farewell', 0]]);
    assert.equal(JSON.parse(await page.beacons[0].text()).events[0].event_type, 'second');
    assert.equal((await entry([core.lane, 2])).type, 'second');
    page.dispatch('pagehide');
    assert.deepEqual(core.of('farewell').at(-1), ['farewell', 1]);
    answer(Response.json({ accepted: 1 }));
  });

  it('begins a new lane when the page comes back, and fetches the bundle again', async () => {
    let fetches = 0;
    page.answers['/v1/bundle'] = () => {
      fetches += 1;
      return new Response(Uint8Array.of(1, 2, 3));
    };
    const core = await start();
    const { lane } = core;
    assert.deepEqual(core.of('namedBundle'), [['namedBundle', Uint8Array.of(1, 2, 3)]]);
    page.dispatch('pagehide');
    page.dispatch('pageshow', { persisted: false });
    assert.equal(core.lane, lane);
    page.dispatch('pageshow', { persisted: true });
    await settle();
    assert.notEqual(core.lane, lane);
    assert.deepEqual([fetches, core.of('lane').length], [2, 1]);
  });

  it('takes the stored bundle before the collector has answered, and the same one no second time', async () => {
    await store(page.database, [['bundle', Uint8Array.of(1, 2)]]);
    let answer;
    let asked = 0;
    page.answers['/v1/bundle'] = () => {
      asked += 1;
      return new Promise((resolve) => {
        answer = (...bytes) => resolve(new Response(Uint8Array.from(bytes)));
      });
    };
    const core = await start();
    assert.deepEqual(core.of('namedBundle'), [['namedBundle', Uint8Array.of(1, 2)]]);
    answer(1, 2);
    await settle();
    assert.equal(core.of('namedBundle').length, 1);
    page.answers['/v1/events'] = () => Response.json({ accepted: 1, bundle_revision: 8 });
    attune.track('view');
    for (let turn = 0; turn < 200 && asked < 2; turn += 1) await sleep(10);
    answer(3);
    await written();
    assert.deepEqual(core.of('bundle'), [['bundle', Uint8Array.of(3)]]);
    assert.deepEqual(await entry('bundle'), Uint8Array.of(3));
  });

  it('keeps the bundle in effect and says why where another cannot be read or fetched', async () => {
    page.answers['/v1/bundle'] = () => new Response(Uint8Array.of(9));
    page.core.next('namedBundle', ['failed', 'bundle_bad_magic']);
    await start();
    const address = 'https://collector.example/v1/bundle?k=demo';
    assert.deepEqual(errors, [
      `bundle_bad_magic: ${address} answers with what are no rules: is this a collector?`,
    ]);
    await written();
    assert.equal(await entry('bundle'), undefined);
    await attune.shutdown();
    page = openPage();
    page.answers['/v1/bundle'] = () => new Response('', { status: 500 });
    await start();
    await attune.ready;
    assert.match(errors[0], /^bundle_unreachable: /);
  });

  it('tells a collector that has published nothing from an address that is none', async () => {
    await start();
    await attune.ready;
    assert.deepEqual(errors, []);
    await attune.shutdown();
    page = openPage();
    page.answers['/v1/bundle'] = () => new Response('<h1>Not found</h1>', { status: 404 });
    await start();
    await attune.ready;
    await settle();
    assert.deepEqual(errors, [
      'bundle_unreachable: the bundle cannot be fetched (https://collector.example/v1/bundle?k=demo: status 404); what is in effect stays',
    ]);
    const { unreachable } = await load('driver/unreachable.ts');
    assert.deepEqual(
      [404, 403, 500].map((status) => unreachable('', status).isUsage),
      [true, true, false],
      'an address that is none is a mistake of the site',
    );
  });

  it('fetches the bundle when a receipt names a newer one, and not for the one in effect', async () => {
    let fetches = 0;
    page.answers['/v1/bundle'] = () => {
      fetches += 1;
      return new Response(Uint8Array.of(1));
    };
    let revision = 7;
    page.answers['/v1/events'] = () => Response.json({ accepted: 1, bundle_revision: revision });
    await start();
    attune.track('view');
    await settle();
    assert.equal(fetches, 1);
    revision = 8;
    attune.track('view');
    await settle();
    assert.equal(fetches, 2);
  });

  it('shows a decision that delivery has changed', async () => {
    const core = await start();
    core.next('poll', decision('hero', { rule: 'expired' }));
    attune.track('view');
    await settle();
    assert.equal(attune.decision('hero')?.rule, 'expired');
  });

  it('calls metadata that is nested too deep what it is', async () => {
    const core = await start();
    core.next('track', ['failed', 'input_invalid']);
    attune.track('view', {});
    await settle();
    assert.deepEqual(errors, ['json_too_deep: view: metadata must be nested at most 32 deep']);
  });

  it('changes nothing on the page after shutdown, and still stores what a late receipt settles', async () => {
    let answer;
    page.answers['/v1/events'] = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const core = await start();
    attune.track('view');
    await settle();
    const heard = [];
    attune.onDecision('hero', (decision) => heard.push(decision));
    await attune.shutdown();
    core.next('outcome', decision('hero', { rule: 'late' }));
    answer(Response.json({ accepted: 1, stream: { token: 's' } }));
    await written();
    assert.deepEqual(heard, []);
    assert.equal((await entry([core.lane, 1])).isSettled, true);
  });

  it('shows its inside to a developer panel', async () => {
    const core = await start();
    const { inspect } = await load('devtools.ts');
    attune.identify('user-1');
    core.on_signal = (_name, key) => (key === 'hats' ? [['answer', 2]] : []);
    assert.deepEqual(inspect(attune), {
      member: core.member,
      lane: core.lane,
      user_id: 'user-1',
      queue: { events: 1, bytes: 300, in_flight: 0, failures: 2, breaker_open: true },
      bundle_revision: 7,
      stream: 'closed',
      signals: { views: { hats: 2 }, cart_at: null },
      decisions: [],
    });
  });
});
