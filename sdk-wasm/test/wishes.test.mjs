/** What the visitor wishes, as pages tell each other: a no and a wish to be forgotten wait for nothing. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle, store, stored, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };
const NO = { functional: 'granted', analytics: 'denied', personalization: 'denied' };

/** Channels as a browser has them: what one is told, all others of its name hear later. */
function openChannels() {
  const open = new Set();
  return class {
    constructor(name) {
      this.name = name;
      open.add(this);
    }
    postMessage(message) {
      if (!open.has(this)) throw new Error('the channel is closed');
      for (const other of open) {
        const isTold = other !== this && other.name === this.name;
        if (isTold)
          setImmediate(() => open.has(other) && other.onmessage?.({ data: structuredClone(message) }));
      }
    }
    close() {
      open.delete(this);
    }
    static get names() {
      return [...open].map(({ name }) => name);
    }
  };
}

describe('what the visitor wishes', () => {
  let Channel;
  let page;
  let attune;
  let answer;
  /** What another page hears. */
  let heard;
  let other;

  beforeEach(async () => {
    Channel = openChannels();
    heard = [];
    other = new Channel('attune/demo/wish');
    other.onmessage = ({ data }) => heard.push(data);
    page = openPage({ BroadcastChannel: Channel });
    const bundle = new Promise((done) => {
      answer = done;
    });
    page.answers['/v1/bundle'] = () => bundle;
    attune = (await load('index.ts')).init(OPTIONS);
  });
  afterEach(async () => {
    // A request that waits would keep Node waiting.
    answer(new Response());
    await attune.shutdown();
    closePage();
  });

  const tell = async (...wish) => {
    other.postMessage(wish);
    await settle();
  };
  /** Lets the background load, which it does behind the first answer. */
  const answered = async () => {
    answer(Response.json({ code: 'bundle_missing' }, { status: 404 }));
    await attune.ready;
    await settle();
  };

  it('is told at once, by a page that is gone before its core has come', async () => {
    attune.consent({ analytics: 'denied', personalization: 'denied' });
    attune.forget();
    page.dispatch('pagehide');
    await settle();
    assert.deepEqual(heard, [['consent', NO], ['forget']]);
  });

  it('is heard before the core has come', async () => {
    attune.track('early');
    await tell('consent', NO);
    attune.track('late');
    const core = await page.load();
    await answered();
    await written();
    assert.deepEqual([core.of('track'), core.of('consent')], [[], [['consent', 1]]]);
    assert.deepEqual([[...page.entries], page.posts, page.beacons], [[], [], []]);
  });

  it('is heard before the part has come that follows other pages, however much waits for that', async () => {
    const core = await page.load();
    attune.track('view');
    assert.equal(core.of('track').length, 1);
    const events = new Channel('attune/demo/');
    for (let told = 0; told < 1_001; told += 1) events.postMessage(['lane', `lane ${told}`]);
    await tell('consent', NO);
    assert.deepEqual(core.of('consent'), [['consent', 1]]);
    attune.track('late');
    assert.equal(core.of('track').length, 1);
  });

  it('leaves nothing of what was heard of a visitor who has been forgotten before it was taken in', async () => {
    const core = await page.load();
    const said = (member, byte) =>
      new Channel('attune/demo/').postMessage(['latches', member, Uint8Array.of(byte)]);
    const [[, gone]] = core.of('start');
    said(gone, 1);
    await settle();
    await tell('forget');
    said(gone, 2);
    await answered();
    assert.equal(core.of('forget').length, 1);
    const [[, come]] = core.of('follow');
    assert.notEqual(come, gone);
    said(come, 2);
    await answered();
    assert.deepEqual(
      core.of('restore').map(([, , latches]) => latches),
      [Uint8Array.of(2)],
    );
  });

  it('follows the one whom the page has made room for that has forgotten, and deletes nothing of them', async () => {
    const core = await page.load();
    await answered();
    attune.track('before');
    await written();
    // What is there of who comes, when the other page has forgotten who was here.
    await store(page.database, [
      ['member', 'next'],
      ['session', `0198c000-0000-7000-8000-000000000001 ${Date.now()} ${Date.now()}`],
      ['latches', ['next', Uint8Array.of(7)]],
    ]);
    await tell('forget');
    await written();
    assert.deepEqual(
      core.of('follow').map(([, member]) => member),
      ['next'],
    );
    assert.deepEqual(await stored(page.database, 'member'), 'next');
    assert.deepEqual(await stored(page.database, 'latches'), ['next', Uint8Array.of(7)]);
    attune.track('after');
    assert.equal(core.of('track').length, 2);
  });

  it('admits a visitor once who agrees twice while what is stored is being read', async () => {
    const core = await page.load();
    await answered();
    const yes = { analytics: 'granted', personalization: 'granted' };
    attune.consent(NO);
    attune.consent(yes);
    attune.track('first');
    attune.consent(yes);
    await written();
    assert.equal(core.of('follow').length, 1);
    assert.equal(core.of('track').length, 1);
  });

  it('tells of the session before it tells of the visitor, whom other pages follow at once', async () => {
    await page.load();
    await answered();
    attune.consent(NO);
    attune.consent({ analytics: 'granted', personalization: 'granted' });
    await written();
    const told = Object.keys(localStorage).filter((key) => /\/(member|session)$/.test(key));
    assert.deepEqual(told, ['attune/demo/session', 'attune/demo/member']);
  });

  it('takes in what is said of another visitor once the page has followed there, and not before', async () => {
    const core = await page.load();
    await answered();
    const before = core.of('restore').length;
    const others = new Channel('attune/demo/');
    const event = {
      id: 'e',
      type: 'view',
      ms: 1,
      seq: 1,
      priority: 1,
      session: 's',
      member: 'next',
      lane: 'l',
    };
    others.postMessage(['latches', 'next', Uint8Array.of(1)]);
    others.postMessage(['profile', 'next', Uint8Array.of(2)]);
    others.postMessage(['profile', 'nobody', Uint8Array.of(3)]);
    others.postMessage(['events', [event]]);
    await settle();
    const taken = () => [core.of('restore').slice(before), core.of('profile'), core.of('storedEvent')];
    assert.deepEqual(taken(), [[], [], []]);
    page.entries.set('attune/demo/member', 'next');
    page.dispatch('storage', { key: 'attune/demo/member', newValue: 'next' });
    const [[restored], profiles, counted] = taken();
    assert.deepEqual(restored[2], Uint8Array.of(1));
    assert.deepEqual(profiles, [['profile', Uint8Array.of(2)]]);
    assert.equal(counted.length, 1);
  });

  it('is heard again by a page that comes back from the back/forward cache, where no channel may be open', async () => {
    await page.load();
    assert.deepEqual(Channel.names, ['attune/demo/wish', 'attune/demo/wish', 'attune/demo/']);
    page.dispatch('pagehide', { persisted: true });
    assert.deepEqual(Channel.names, ['attune/demo/wish']);
    page.dispatch('pageshow', { persisted: true });
    await tell('consent', NO);
    assert.deepEqual(page.core.of('consent'), [['consent', 1]]);
    await attune.shutdown();
    assert.deepEqual(Channel.names, ['attune/demo/wish']);
  });
});
