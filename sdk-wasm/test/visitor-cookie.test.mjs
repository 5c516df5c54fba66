/** The visitor's cookie on the parent domain: who a page is for, what it asks of the collector, and what it deletes. */

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { load } from './load.mjs';
import { closePage, openJar, openPage, settle, store, stored, written } from './page.mjs';

const NAME = 'attune_visitor';
const DOMAIN = 'shop.example';
const OPTIONS = { writeKey: 'demo', collector: 'https://attune.shop.example', visitorCookie: DOMAIN };
const UNKNOWN = { analytics: 'unknown', personalization: 'unknown' };
const DENIED = { analytics: 'denied', personalization: 'denied' };
const DAY_MS = 24 * 3_600_000;
const ANN = '0197f7a0-0000-7000-8000-00000000000a';
const BOB = '0197f7a0-0000-7000-8000-00000000000b';
const LANE = '0197f7a0-0000-7000-8000-00000000000c';
const SESSION = '0197f7a0-0000-7000-8000-00000000000d';

/** The value that names a member, as of so many milliseconds ago. */
const value = (member, agoMs = 0) => `${member}.${Math.floor((Date.now() - agoMs) / 1_000)}`;
const jarOf = (...values) => openJar(...values.map((value) => ({ name: NAME, value, domain: DOMAIN })));
/** What is stored of a member who was here a moment ago. */
const storedOf = (member, seen) =>
  new Map([
    ['attune/demo/member', member],
    ['attune/demo/token', `${member}\ntoken`],
    ['attune/demo/policy', '1'],
    ['attune/demo/session', [SESSION, Date.now() - 2_000, Date.now() - 1_000].join(' ')],
    ...(seen ? [['attune/demo/cookie', seen]] : []),
  ]);

describe('the visitor’s cookie', () => {
  let page;
  let attune;
  let errors;
  /** What the collector answers when it is asked for the cookie. */
  let answer;
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  /** Begins a page, without the core, of a collector that sets what it is asked for. */
  async function begin(of = {}, options = {}) {
    page = openPage(of);
    answer = ({ anonymous_id }) => {
      page.jar.put(NAME, value(anonymous_id), DOMAIN);
      return new Response(null, { status: 204 });
    };
    page.answers['/v1/visitor'] = ({ text }) => answer(JSON.parse(text));
    attune = (await load('index.ts')).init({ ...OPTIONS, ...options });
    errors = [];
    attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
  }
  async function start(of, options) {
    await begin(of, options);
    return await page.load();
  }
  const local = (key) => page.entries.get(`attune/demo/${key}`);
  const asked = () => page.posts.filter(({ pathname }) => pathname === '/v1/visitor');
  const askedFor = () => asked().map(({ text }) => JSON.parse(text).anonymous_id);
  const named = () => page.jar.cookies.map(({ value }) => value.split('.')[0]);

  it('is asked for by a first page, with credentials, and by none after it', async () => {
    const core = await start();
    await settle();
    assert.deepEqual(asked(), [
      {
        pathname: '/v1/visitor',
        credentials: 'include',
        text: JSON.stringify({ anonymous_id: core.member }),
      },
    ]);
    assert.deepEqual(named(), [core.member]);
    assert.equal(local('cookie').split('.')[0], core.member);
    const { jar, entries, database } = page;
    await attune.shutdown();
    const again = await start({ jar, entries, database });
    assert.deepEqual([again.member, asked()], [core.member, []]);
  });

  it('says who the visitor is where script storage has lost it', async () => {
    const core = await start({ jar: jarOf(value(ANN)) });
    assert.deepEqual([core.member, local('member'), asked()], [ANN, ANN, []]);
    assert.equal(local('cookie').split('.')[0], ANN);
  });

  it('wins over who is stored, of whom nothing is left but what is still to be delivered', async () => {
    const database = new IDBFactory();
    const event = {
      ...{ id: BOB.replace(/b$/, '1'), type: 'view', ms: Date.now(), member: BOB, lane: LANE, seq: 1 },
      ...{ session: SESSION, metadata: '{}', priority: 1, isSettled: false },
    };
    await store(database, [
      ['member', BOB],
      ['user', 'bob'],
      ['base', new Uint8Array([1])],
      ['latches', new Uint8Array([2])],
      ['session', [SESSION, Date.now() - 2_000, Date.now() - 1_000].join(' ')],
      [[LANE, 1], event],
      [`lane/${LANE}`, [BOB, LANE, 1]],
      [
        [SESSION, 'call', 1],
        ['identify', 'bob'],
      ],
    ]);
    const locks = { request: (name, _options, hold) => Promise.resolve(hold({ name })) };
    await begin({ database, locks, entries: storedOf(BOB), jar: jarOf(value(ANN)) });
    attune.track('early');
    await settle();
    assert.deepEqual([local('member'), local('token'), local('policy')], [ANN, undefined, '1']);
    const core = await page.load('storedEvent');
    assert.equal(core.of('start')[0][1], ANN);
    const [[, base, latches, user]] = core.of('restore');
    assert.deepEqual([base, latches, user], [undefined, undefined, undefined]);
    assert.deepEqual(core.of('storedEvent')[0].slice(3, 6), [BOB, LANE, 1], 'under its own id');
    assert.deepEqual(core.of('identify'), [], 'a call of who was here is nobody else’s');
    const [[, , , , session]] = core.of('track');
    assert.notEqual(session, SESSION);
    assert.equal(await stored(database, 'user'), undefined);
    await written();
    assert.equal(await stored(database, 'member'), ANN);
  });

  it('is set anew when it is older than a day, or of a time to come', async () => {
    for (const [agoMs, times] of [
      [DAY_MS - 60_000, 0],
      [DAY_MS + 60_000, 1],
      [-2 * DAY_MS, 1],
    ]) {
      const core = await start({ jar: jarOf(value(ANN, agoMs)) });
      await settle();
      assert.deepEqual([core.member, asked().length, page.jar.writes], [ANN, times, []], `${agoMs} ms ago`);
      await attune.shutdown();
    }
  });

  it('is no matter for complaint where it cannot be had: the next page asks again', async () => {
    let entries;
    let database;
    for (const refuse of [
      () => Promise.reject(new TypeError('no network')),
      () => Response.json({ code: 'origin_outside_cookie_domain' }, { status: 403 }),
      // A browser that keeps no cookies.
      () => new Response(null, { status: 204 }),
    ]) {
      await begin({ entries, database });
      answer = refuse;
      const core = await page.load();
      await settle();
      entries ??= page.entries;
      database ??= page.database;
      assert.deepEqual([askedFor(), errors, page.jar.cookies], [[core.member], [], []]);
      assert.deepEqual([local('member'), local('cookie')], [core.member, undefined]);
      await attune.shutdown();
    }
    const before = entries.get('attune/demo/member');
    assert.equal((await start({ entries, database })).member, before);
  });

  for (const [what, ...values] of [
    ['no id', 'nonsense'],
    ['no time', ANN],
    ['another time', `${ANN}.soon`],
    ['an id in capitals', value(ANN.toUpperCase())],
    ['a long text', value(ANN) + '0'.repeat(4_000)],
    ['a text before it', `x${value(ANN)}`],
    ['nothing', ''],
    ['two values', value(ANN), value(BOB)],
    ['one value twice', value(ANN), value(ANN)],
  ]) {
    it(`is ignored and replaced where it has ${what}`, async () => {
      const [domains, entries] = [['', DOMAIN], storedOf(LANE)];
      const jar = openJar(...values.map((value, at) => ({ name: NAME, value, domain: domains[at] })));
      const core = await start({ jar, entries });
      await settle();
      assert.deepEqual([core.member, askedFor(), named()], [LANE, [LANE], [LANE]]);
    });
  }

  it('is told from cookies of other names', async () => {
    const other = (name, value) => ({ name, value, domain: '' });
    const jar = openJar(other('a', value(ANN)), other('visitor', value(ANN)), ...jarOf(value(BOB)).cookies);
    assert.equal((await start({ jar })).member, BOB);
    await attune.shutdown();
    const named = openJar(other(`x${NAME}`, value(ANN)), other('allowed', `${NAME},cart`), other('a', NAME));
    const core = await start({ jar: named });
    await settle();
    assert.notEqual(core.member, ANN);
    assert.equal(local('cookie').split('.')[0], core.member);
  });

  it('makes a new visitor of one whom another host has forgotten', async () => {
    const core = await start({ entries: storedOf(ANN, value(ANN)) });
    await settle();
    assert.notEqual(core.member, ANN);
    assert.deepEqual([askedFor(), local('member')], [[core.member], core.member]);
  });

  it('may have run out by itself, or never been there: the visitor stays', async () => {
    for (const seen of [value(ANN, 7 * DAY_MS), value(BOB), undefined]) {
      const core = await start({ entries: storedOf(ANN, seen) });
      await settle();
      assert.deepEqual([core.member, askedFor()], [ANN, [ANN]], seen);
      await attune.shutdown();
    }
  });

  for (const strict of [false, true]) {
    it(`is neither read nor written before consent${strict ? ', on strict pages as well' : ''}`, async () => {
      await begin({ jar: jarOf(value(ANN)) }, { consent: UNKNOWN, strict });
      attune.track('early');
      attune.identify('ann');
      if (!strict) await page.load('start');
      await settle();
      page.dispatch('visibilitychange');
      await settle();
      assert.deepEqual([page.jar.reads, page.jar.writes, asked(), page.entries.size], [0, [], [], 0]);
      attune.consent({ analytics: 'granted' });
      const core = await page.load();
      assert.deepEqual([core.member, asked()], [ANN, []]);
    });
  }

  it('is asked for once there is a consent', async () => {
    await begin({}, { consent: UNKNOWN });
    await page.load('start');
    assert.deepEqual(asked(), []);
    attune.consent({ personalization: 'granted' });
    const core = await page.load();
    await settle();
    assert.deepEqual(askedFor(), [core.member]);
  });

  it('goes with a no, at once, whether it comes with the page or later', async () => {
    await begin({ jar: jarOf(value(ANN)) }, { consent: DENIED });
    assert.deepEqual(page.jar.cookies, []);
    await attune.shutdown();
    await start({ jar: jarOf(value(ANN)) });
    attune.consent(DENIED);
    assert.deepEqual(page.jar.cookies, []);
    await settle();
    assert.deepEqual([page.jar.cookies, asked(), local('member')], [[], [], undefined]);
  });

  it('goes at once when the visitor is forgotten, before the page has started as well, and names who comes then', async () => {
    for (const isEarly of [true, false]) {
      await begin({ jar: jarOf(value(ANN)), entries: storedOf(ANN, value(ANN)) });
      if (!isEarly) await page.load();
      attune.forget();
      assert.deepEqual([page.jar.cookies, local('cookie')], [[], undefined]);
      const core = await page.load();
      await settle();
      assert.notEqual(core.member, ANN);
      assert.deepEqual([askedFor(), named()], [[core.member], [core.member]]);
      await attune.shutdown();
    }
  });

  it('names nobody from a reset on until it names who comes then', async () => {
    const core = await start({ jar: jarOf(value(ANN)) });
    attune.reset();
    assert.notEqual(core.member, ANN);
    assert.deepEqual(page.jar.cookies, []);
    await settle();
    assert.deepEqual([askedFor(), named()], [[core.member], [core.member]]);
  });

  it('that comes too late for who was here is undone', async () => {
    for (const leave of [() => attune.reset(), () => attune.consent(DENIED)]) {
      await begin();
      const set = answer;
      const held = [];
      answer = (body) => new Promise((done) => held.push(() => done(set(body))));
      const core = await page.load();
      await settle();
      const before = core.member;
      leave();
      await settle();
      // The answers come in the other order.
      answer = set;
      for (const release of held.reverse()) {
        release();
        await settle();
      }
      const after = core.member === before ? [] : [core.member];
      assert.deepEqual(named(), local('member') ? after : [], String(leave));
      assert.equal(local('member') === before, false);
      await attune.shutdown();
    }
  });

  it('is refused to a visitor who has been erased, who begins anew with the next page', async () => {
    await begin({ jar: jarOf(value(ANN, 2 * DAY_MS)), entries: storedOf(ANN) });
    answer = () => Response.json({ code: 'member_erased' }, { status: 410 });
    await page.load();
    await settle();
    assert.deepEqual([askedFor(), page.jar.cookies], [[ANN], []]);
    const { jar, entries, database } = page;
    await attune.shutdown();
    const core = await start({ jar, entries, database });
    assert.notEqual(core.member, ANN);
  });

  it('is looked at again when the page comes back into sight', async () => {
    const core = await start({ jar: jarOf(value(ANN)) });
    const first = attune.track('view');
    page.jar.put(NAME, value(BOB), DOMAIN);
    page.dispatch('visibilitychange');
    const second = attune.track('view');
    await settle();
    assert.deepEqual([core.member, local('member'), asked()], [BOB, BOB, []]);
    const [before, after] = core.of('track');
    assert.deepEqual([before[1], after[1]], [first, second]);
    assert.notEqual(before[4], after[4], 'in another session');
    page.jar.put(NAME, undefined, DOMAIN);
    page.dispatch('visibilitychange');
    await settle();
    assert.equal([ANN, BOB].includes(core.member), false);
    assert.deepEqual(named(), [core.member]);
  });

  it('costs nothing where cookies are blocked', async () => {
    const blocked = () => {
      throw new Error('blocked');
    };
    const core = await start({ jar: { ...openJar(), read: blocked, write: blocked } });
    await settle();
    assert.deepEqual([askedFor(), errors], [[core.member], []]);
  });

  it('is never touched by a site that does not ask for it', async () => {
    const core = await start({ jar: jarOf(value(ANN)) }, { visitorCookie: undefined });
    attune.forget();
    await settle();
    assert.notEqual(core.member, ANN);
    assert.deepEqual([page.jar.reads, page.jar.writes, asked()], [0, [], []]);
  });
});
