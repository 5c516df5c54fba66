/** Erasures: asked for at once, again on later pages, and kept until the collector has answered for good. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { storageOf } from './page.mjs';

const URL = 'https://collector.example/v1/forget?k=demo';
const PREFIX = 'attune-erase/demo/';
const refusal = (status, code) => Response.json({ code, message: 'of a test' }, { status });

describe('an erasure', async () => {
  const { openErasure } = await load('erasure.ts');
  let entries;
  let asked;
  let answer;
  let storage;
  const own = { document: globalThis.document, fetch: globalThis.fetch, window: globalThis.window };

  beforeEach(() => {
    entries = new Map();
    asked = [];
    answer = () => refusal(503, 'log_busy');
    storage = storageOf(entries);
    globalThis.window = { localStorage: storage };
    globalThis.document = new EventTarget();
    globalThis.fetch = async (url, { body, keepalive }) => {
      asked.push([url, JSON.parse(await new Response(body).text()), keepalive]);
      return answer();
    };
  });
  afterEach(() => Object.assign(globalThis, own));

  const settle = () => new Promise((done) => setTimeout(done, 10));
  const open = () => openErasure(URL, storage, PREFIX);

  it('is asked for by the member’s token, in a request that outlives its page', async () => {
    answer = () => Response.json({ state: 'accepted' }, { status: 202 });
    open().ask('m1\nsecret');
    assert.deepEqual([...entries], [[`${PREFIX}m1`, 'secret']], 'it is kept while it is on its way');
    await settle();
    assert.deepEqual(asked, [[URL, { anonymous_id: 'm1', member_token: 'secret' }, true]]);
    assert.equal(entries.size, 0);
  });

  for (const [name, refused, isKept] of [
    ['a full log', () => refusal(503, 'log_busy'), true],
    ['no answer', () => Promise.reject(new Error('away')), true],
    ['an unknown key', () => refusal(401, 'key_unknown'), true],
    ['an origin that is not allowed', () => refusal(403, 'origin_refused'), true],
    ['a token that is not the member’s', () => refusal(403, 'member_token_invalid'), false],
  ]) {
    it(`is ${isKept ? 'kept for the next page' : 'given up'} after ${name}`, async () => {
      answer = refused;
      open().ask('m1\nsecret');
      await settle();
      assert.equal(entries.size, isKept ? 1 : 0);
      open();
      await settle();
      assert.equal(asked.length, isKept ? 2 : 1);
    });
  }

  it('waits until somebody looks at the page', async () => {
    entries.set(`${PREFIX}m1`, 'secret');
    document.prerendering = true;
    open();
    await settle();
    assert.equal(asked.length, 0);
    document.prerendering = false;
    document.dispatchEvent(new Event('prerenderingchange'));
    await settle();
    assert.equal(asked.length, 1);
  });
});
