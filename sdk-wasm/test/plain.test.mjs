/** What stands in where WebAssembly is refused: what it gives up, and what never. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

/** Events that wait at most. */
const MAX_EVENTS = 2_000;

describe('a page without WebAssembly', () => {
  const { Module } = WebAssembly;
  let page;
  let attune;
  let errors;

  beforeEach(async () => {
    page = openPage();
    WebAssembly.Module = class {
      constructor() {
        throw new Error('refused');
      }
    };
    attune = (await load('index.ts')).init({ writeKey: 'demo', collector: 'https://collector.example' });
    errors = [];
    attune.onError(({ code, message, kind }) => errors.push([code, message, kind]));
    await attune.ready.catch(() => {});
    await settle();
  });
  afterEach(async () => {
    WebAssembly.Module = Module;
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

  it('never gives up what is on its way', async () => {
    let answer;
    page.answers['/v1/events'] = () =>
      new Promise((done) => {
        answer = () => done(Response.json({ accepted: 1 }));
      });
    attune.track('first');
    const { events } = await posted(1);
    for (let count = 0; count < MAX_EVENTS; count += 1) attune.track('view');
    answer();
    const { void: given } = await posted(2);
    answer();
    assert.deepEqual(
      events.map(({ event_type, seq }) => [event_type, seq]),
      [['first', 1]],
    );
    assert.deepEqual(
      given.map(({ from, to }) => [from, to]),
      [[2, 2]],
      'the oldest of those that have not left',
    );
    assert.deepEqual(errors.slice(1), [
      ['buffer_full', '1 events are given up: too many wait', 'environment'],
    ]);
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
