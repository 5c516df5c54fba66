/** What stands in where WebAssembly is refused: what it gives up, and what never. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example', withoutWasm: ['big', 'order'] };
/** Of such metadata 33 fit into a mebibyte. */
const BIG = { text: 'x'.repeat(31_000) };

describe('a page without WebAssembly', () => {
  const { Module } = WebAssembly;
  let page;
  let attune;
  let errors;
  const { random } = Math;

  beforeEach(async () => {
    page = openPage();
    WebAssembly.Module = class {
      constructor() {
        throw new Error('refused');
      }
    };
    attune = (await load('index.ts')).init(OPTIONS);
    errors = [];
    attune.onError(({ code, message, kind }) => errors.push([code, message, kind]));
    await attune.ready.catch(() => {});
    await settle();
  });
  afterEach(async () => {
    WebAssembly.Module = Module;
    Math.random = random;
    await attune.shutdown();
    closePage();
  });

  const posted = async (count) => {
    while (page.posts.length < count) await settle();
    return JSON.parse(page.posts[count - 1].text);
  };

  it('says what the page’s policy needs, where it is not the browser that has none', async () => {
    const said = 'WebAssembly is refused here: events are sent, nothing is decided';
    const needed = `${said}; the page's policy needs script-src 'wasm-unsafe-eval'`;
    assert.deepEqual(errors, [['wasm_unavailable', needed, 'usage']]);
    await attune.shutdown();
    const { WebAssembly } = globalThis;
    globalThis.WebAssembly = undefined;
    try {
      attune = (await load('index.ts')).init({ writeKey: 'demo', collector: 'https://collector.example' });
      await assert.rejects(attune.ready, { code: 'wasm_unavailable', message: said, kind: 'environment' });
    } finally {
      globalThis.WebAssembly = WebAssembly;
    }
  });

  /** Events by type and number, in the order in which a body has them. */
  const named = (events) => events.map(({ event_type, seq }) => `${event_type} ${seq}`);
  const types = (post) => JSON.parse(post.text).events.map(({ event_type }) => event_type);
  /** Answers each body by its events' types. */
  const answerBy = (answer) => {
    page.answers['/v1/events'] = (post) => answer(types(post)) ?? Response.json({ accepted: 1 });
  };
  /** The longest pauses there are, on a clock that stands still until it is told. */
  const slowly = (t) => {
    Math.random = () => 1 - Number.EPSILON;
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
    const ahead = performance.now() - Date.now();
    t.mock.method(performance, 'now', () => Date.now() + ahead);
  };

  it('gives up the least important of what waits beyond a mebibyte, and never what is on its way', async () => {
    let answer;
    page.answers['/v1/events'] = () =>
      new Promise((done) => {
        answer = () => done(Response.json({ accepted: 1 }));
      });
    attune.track('first', {}, { priority: 'low' });
    const { events } = await posted(1);
    assert.deepEqual(named(events), ['first 1']);
    attune.track('order', BIG, { priority: 'critical' });
    for (let count = 0; count < 30; count += 1) attune.track('big', BIG);
    for (let count = 0; count < 4; count += 1) attune.track('big', BIG, { priority: 'low' });
    attune.track('order', BIG, { priority: 'critical' });
    answer();
    const second = await posted(2);
    assert.deepEqual(
      second.void.map(({ from, to }) => [from, to]),
      [[33, 35]],
      'the oldest of the low ones, as one range',
    );
    assert.deepEqual(second.dropped, { queue_full: 3 });
    assert.deepEqual(named(second.events), ['order 2'], 'the critical ones first');
    assert.deepEqual(
      errors.slice(1).map(([code]) => code),
      ['buffer_full', 'buffer_full', 'buffer_full'],
    );
    answer();
    const third = await posted(3);
    assert.deepEqual([named(third.events), third.void], [['order 37'], undefined]);
    answer();
    assert.deepEqual(named((await posted(4)).events), ['big 3']);
    page.answers['/v1/events'] = () => Response.json({ accepted: 1 });
    answer();
  });

  for (const [name, retryAfter] of [
    ['nothing', undefined],
    ['no time', '0'],
    ['a time that is over', new Date(Date.now() - 7_200_000).toUTCString()],
  ]) {
    it(`backs off where ${name} is asked for, twice as long after each failure`, async (t) => {
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      answerBy(() => new Response('', { status: 503, headers }));
      slowly(t);
      attune.track('view');
      t.mock.timers.tick(0);
      await settle();
      const counts = [page.posts.length];
      for (const ms of [990, 20, 1_970, 40, 3_940]) {
        t.mock.timers.tick(ms);
        await settle();
        attune.track('view');
        await settle();
        counts.push(page.posts.length);
      }
      assert.deepEqual(counts, [1, 1, 2, 2, 3, 3]);
    });
  }

  it('keeps the time that a collector asks for, whoever wants to send before', async (t) => {
    answerBy(() => new Response('', { status: 429, headers: { 'retry-after': '30' } }));
    slowly(t);
    attune.track('view');
    for (const ms of [0, 20_000]) {
      t.mock.timers.tick(ms);
      await settle();
      attune.flush();
      page.dispatch('online');
      t.mock.timers.tick(0);
      await settle();
      assert.equal(page.posts.length, 1);
    }
    t.mock.timers.tick(30_010);
    await settle();
    assert.equal(page.posts.length, 2);
  });

  for (const [status, offending] of [[400], [413], [413, [3]]]) {
    it(`loses one event to a ${status}${offending ? ' that names it' : ''}, and delivers the others`, async (t) => {
      answerBy((types) => {
        const place = types.indexOf('bad');
        if (place < 0) return undefined;
        return Response.json(
          { code: 'of_a_test', message: 'bad', offending: offending && [place] },
          { status },
        );
      });
      slowly(t);
      let bad;
      for (let count = 0; count < 20; count += 1) {
        if (count === 3) bad = attune.track('bad');
        else attune.track('view');
      }
      for (let turn = 0; turn < 40; turn += 1) {
        t.mock.timers.tick(turn === 20 ? 1_010 : 0);
        await settle();
      }
      const bodies = page.posts.map(({ text }) => JSON.parse(text));
      const arrived = bodies.filter(({ events }) => !events.some(({ event_type }) => event_type === 'bad'));
      const seqs = arrived.flatMap(({ events }) => events.map(({ seq }) => seq));
      const others = Array.from({ length: 20 }, (_, place) => place + 1).filter((seq) => seq !== 4);
      assert.deepEqual(seqs, others);
      assert.ok(bodies.length <= 14, `${bodies.length} requests`);
      assert.deepEqual(errors.slice(1), [['event_rejected', `event ${bad}: ${status}: bad`, 'environment']]);
      const told = bodies.flatMap((body) => body.void ?? []);
      assert.deepEqual([told[0].from, told[0].to, arrived.at(-1).dropped], [4, 4, { rejected: 1 }]);
    });
  }

  it('stops at one request a while where every event is refused', async (t) => {
    answerBy(() => Response.json({ code: 'of_a_test', message: 'bad' }, { status: 400 }));
    slowly(t);
    for (let count = 0; count < 8; count += 1) attune.track('view');
    for (let turn = 0; turn < 40; turn += 1) {
      t.mock.timers.tick(0);
      await settle();
    }
    // Eight, four, two, one, which is lost; the next one waits.
    assert.equal(page.posts.length, 4);
  });

  it('puts off what a receipt wants again, while others pass it', async (t) => {
    answerBy(() => undefined);
    page.answers['/v1/events'] = ({ text }) => {
      const { events } = JSON.parse(text);
      const again = events.filter(({ event_type }) => event_type === 'later');
      const results = again.map(({ event_id }) => ({ event_id, result: 'retry' }));
      return Response.json({ accepted: events.length - again.length, results });
    };
    slowly(t);
    attune.track('later');
    t.mock.timers.tick(0);
    await settle();
    attune.track('view');
    t.mock.timers.tick(0);
    await settle();
    t.mock.timers.tick(1_010);
    await settle();
    assert.deepEqual(page.posts.map(types), [['later'], ['view'], ['later']]);
  });

  it('tells of an address that is none, with the address', async () => {
    attune.track('view');
    await posted(1);
    page.answers['/v1/events'] = () => new Response('<h1>Not found</h1>', { status: 404 });
    attune.track('view');
    await posted(2);
    await settle();
    const [code, message, kind] = errors.at(-1);
    assert.deepEqual([code, kind], ['collector_refused', 'usage']);
    assert.match(message, /^https:\/\/collector\.example\/v1\/events\?k=demo refuses events: 404/);
  });
});
