/** What the visitor wishes, as pages tell each other: a no and a wish to be forgotten wait for nothing. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle, store, stored, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };
const NO = { functional: 'granted', analytics: 'denied', personalization: 'denied' };
const YES = { functional: 'granted', analytics: 'granted', personalization: 'granted' };

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
  const hear = (said, atMs) => tell('consent', said, atMs);
  /** Says a word here, and gives its time, as the other page has heard it. */
  const say = async (said) => {
    attune.consent(said);
    await settle();
    return heard.at(-1)[2];
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
    const [[, , atMs]] = heard;
    assert.deepEqual(heard, [['consent', NO, atMs], ['forget']]);
    assert.ok(Math.abs(atMs - Date.now()) < 60_000);
  });

  it('is heard before the core has come', async () => {
    attune.track('early');
    await hear(NO, Date.now());
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
    await hear(NO, Date.now());
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

  it('is, of a yes and a no that two pages say at once, the later one in both', async () => {
    const core = await page.load();
    const atMs = await say(NO);
    await hear(YES, atMs - 3);
    assert.deepEqual(core.of('consent'), [['consent', 1]]);
    await hear(YES, atMs + 3);
    await hear(NO, atMs + 1);
    assert.deepEqual(core.of('consent'), [
      ['consent', 1],
      ['consent', 7],
    ]);
  });

  for (const [mine, theirs] of [
    [YES, NO],
    [NO, YES],
    [{ ...YES, analytics: 'denied' }, NO],
  ]) {
    const name = ({ analytics, personalization }) => `${analytics}, ${personalization}`;
    it(`is the no of what two pages say in one millisecond: here ${name(mine)}, there ${name(theirs)}`, async () => {
      const core = await page.load();
      await hear(theirs, await say(mine));
      assert.deepEqual(core.of('consent').at(-1), ['consent', 1]);
    });
  }

  it('is the last of several words of one page, however fast they follow', async () => {
    const times = [];
    for (const said of [NO, YES, NO, YES]) {
      attune.consent(said);
      await settle();
      times.push(heard.at(-1)[2]);
    }
    assert.deepEqual(
      times,
      [...new Set(times)].sort((one, next) => one - next),
    );
  });

  it('is heard of a page whose clock has been set back', async () => {
    const core = await page.load();
    await hear(NO, (await say(YES)) - 3_600_000);
    assert.deepEqual(core.of('consent').at(-1), ['consent', 1]);
  });

  it('keeps pages in which two users log in at once on the same one, which is stored', async () => {
    const core = await page.load();
    await answered();
    const [[, member]] = core.of('start');
    attune.identify('bob');
    const others = new Channel('attune/demo/');
    others.postMessage(['user', member, 'ada']);
    await settle();
    await written();
    assert.deepEqual(core.of('restore').at(-1)[3], 'bob');
    assert.deepEqual(await stored(page.database, 'user'), [member, 'bob']);
    others.postMessage(['user', member, 'eve']);
    await settle();
    await written();
    assert.deepEqual(core.of('restore').at(-1)[3], 'eve');
    assert.deepEqual(await stored(page.database, 'user'), [member, 'eve']);
  });

  it('admits a visitor once who agrees twice while what is stored is being read', async () => {
    const core = await page.load();
    await answered();
    attune.consent(NO);
    attune.consent(YES);
    attune.track('first');
    attune.consent(YES);
    await written();
    assert.equal(core.of('follow').length, 1);
    assert.equal(core.of('track').length, 1);
  });

  it('leaves nothing of a visitor whose yes was taken back, however soon', async () => {
    await page.load();
    await answered();
    for (let turns = 0; turns < 40; turns += 1) {
      attune.consent(NO);
      await written();
      attune.consent(YES);
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      attune.consent(NO);
      await written();
      const left = await Promise.all(['session', 'member', 'user'].map((key) => stored(page.database, key)));
      assert.deepEqual(left, [undefined, undefined, undefined], `after ${turns} turns`);
      assert.deepEqual([...page.entries], []);
    }
  });

  it('admits a visitor whose yes was taken back while what is stored was being read, and given again', async () => {
    const core = await page.load();
    await answered();
    attune.consent(NO);
    attune.consent(YES);
    attune.consent({ analytics: 'unknown', personalization: 'unknown' });
    await written();
    attune.track('held');
    assert.deepEqual([core.of('track'), await stored(page.database, 'member')], [[], undefined]);
    attune.consent(YES);
    attune.track('taken');
    await written();
    assert.equal(core.of('track').length, 2);
    assert.ok(await stored(page.database, 'member'));
  });

  it('tells of the session before it tells of the visitor, whom other pages follow at once', async () => {
    await page.load();
    await answered();
    attune.consent(NO);
    attune.consent(YES);
    await written();
    const told = Object.keys(localStorage).filter((key) => /\/(member|session)$/.test(key));
    assert.deepEqual(told, ['attune/demo/session', 'attune/demo/member']);
  });

  it('keeps its session where it is told once more of the visitor who is here, and the session is not stored', async () => {
    const core = await page.load();
    await answered();
    attune.track('before');
    page.entries.delete('attune/demo/session');
    const member = page.entries.get('attune/demo/member');
    page.dispatch('storage', { key: 'attune/demo/member', newValue: member });
    attune.track('after');
    const [before, after] = core.of('track').map(([, , , , session]) => session);
    assert.match(before, /^[\da-f-]{36}$/);
    assert.equal(after, before);
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
    await hear(NO, Date.now());
    assert.deepEqual(page.core.of('consent'), [['consent', 1]]);
    await attune.shutdown();
    assert.deepEqual(Channel.names, ['attune/demo/wish']);
  });
});

describe('a page that comes back', () => {
  const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };
  let page;
  let attune;

  beforeEach(() => {
    page = openPage();
    page.answers['/v1/bundle'] = () => Response.json({ code: 'bundle_missing' }, { status: 404 });
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });
  const begin = async (options) => {
    attune = (await load('index.ts')).init({ ...OPTIONS, ...options });
    await written();
  };
  /** What happens while the page lies in the cache. */
  const away = async (act) => {
    page.dispatch('pagehide', { persisted: true });
    await act();
    page.dispatch('pageshow', { persisted: true });
    await written();
  };
  const deleteAll = () => page.entries.clear();
  const say = (said) => page.entries.set('attune/demo/consent', JSON.stringify({ ...NO, ...said }));

  for (const [when, start] of [
    ['before its core has come', () => {}],
    ['before what follows other pages has come', () => page.load()],
    [
      'whole',
      async () => {
        await page.load();
        await attune.ready;
        await settle();
      },
    ],
  ]) {
    it(`heeds a no that was said elsewhere, having left ${when}`, async () => {
      await begin();
      await start();
      await away(deleteAll);
      const core = await page.load();
      attune.track('late');
      await written();
      assert.deepEqual(core.of('consent').at(-1), ['consent', 1]);
      assert.deepEqual(core.of('track'), []);
      assert.deepEqual([[...page.entries], page.posts, page.beacons], [[], [], []]);
    });

    it(`heeds a no to one purpose that was said elsewhere, having left ${when}`, async () => {
      await begin();
      await start();
      await away(() => say({ analytics: 'granted' }));
      const core = await page.load();
      attune.track('late');
      await written();
      assert.deepEqual(core.of('consent').at(-1), ['consent', 3]);
      assert.equal(core.of('track').length, 1);
    });

    it(`goes on as who has come elsewhere, having left ${when}`, async () => {
      await begin();
      await start();
      await away(async () => {
        page.entries.set('attune/demo/member', 'next');
        await store(page.database, [['member', 'next']]);
      });
      const core = await page.load();
      await attune.ready;
      await written();
      assert.equal(core.member, 'next');
      assert.equal(page.entries.get('attune/demo/member'), 'next');
    });
  }

  it('says nothing of its own where nobody has said anything', async () => {
    await begin();
    const core = await page.load();
    await away(() => {});
    assert.deepEqual(core.of('consent'), []);
    assert.equal(page.entries.get('attune/demo/consent'), JSON.stringify({ ...NO, ...YES }));
  });

  it('takes what cannot be read for a no', async () => {
    await begin();
    const core = await page.load();
    await away(() => page.entries.set('attune/demo/consent', '{"analytics":'));
    assert.deepEqual(core.of('consent').at(-1), ['consent', 1]);
  });

  for (const [kind, options] of [
    ['has not been asked', { consent: UNKNOWN }],
    ['may store nothing', { cookieless: true }],
  ]) {
    it(`takes an empty storage for no no where it ${kind}`, async () => {
      await begin(options);
      const core = await page.load();
      const before = core.of('consent');
      await away(() => {});
      assert.deepEqual(core.of('consent'), before);
    });
  }
});
