/** Erasures: asked for at once, again on later pages, and kept until the collector has answered for good. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, storageOf, settle as turn } from './page.mjs';

const URL = 'https://collector.example/v1/forget?k=demo';
const PREFIX = 'attune-erase/demo/';
const refusal = (status, code) => Response.json({ code, message: 'of a test' }, { status });

describe('an erasure', async () => {
  const { erase } = await load('background.ts');
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
  /** Wishes what a page would, and asks for it. */
  const ask = (...members) => {
    for (const [member, token] of members) storage.setItem(PREFIX + member, token);
    erase(URL, storage, PREFIX, members);
  };

  it('is asked for by the member’s token, in a request that outlives its page', async () => {
    answer = () => Response.json({ state: 'accepted' }, { status: 202 });
    ask(['m1', 'secret']);
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
      ask(['m1', 'secret']);
      await settle();
      assert.equal(entries.size, isKept ? 1 : 0);
      ask();
      await settle();
      assert.equal(asked.length, isKept ? 2 : 1);
    });
  }

  it('is asked for where nothing may be stored', async () => {
    const blocked = { getItem: () => null, setItem() {}, removeItem() {} };
    erase(URL, blocked, PREFIX, [['m1', 'secret']]);
    await settle();
    assert.deepEqual(
      asked.map(([, question]) => question),
      [{ anonymous_id: 'm1', member_token: 'secret' }],
    );
  });
});

describe('a page with a wish to be erased', () => {
  let page;
  let attune;
  beforeEach(() => {
    page = openPage();
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  it('waits until somebody looks at it', async () => {
    page.entries.set(`${PREFIX}m1`, 'secret');
    const target = new EventTarget();
    Object.assign(page.document, {
      prerendering: true,
      addEventListener: target.addEventListener.bind(target),
    });
    attune = (await load('index.ts')).init({ writeKey: 'demo', collector: 'https://collector.example' });
    const asked = () => page.posts.filter(({ pathname }) => pathname === '/v1/forget').length;
    await turn();
    assert.equal(asked(), 0);
    page.document.prerendering = false;
    target.dispatchEvent(new Event('prerenderingchange'));
    await turn();
    assert.equal(asked(), 1);
  });
});
