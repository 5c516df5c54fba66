/** What leaves and what is stored where there is a filter policy and WebAssembly is refused. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { allIn, closePage, openPage, settle, written } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example', withoutWasm: ['order'] };
const MAIL = 'planted@victim.example';

describe('a filter policy without WebAssembly', () => {
  const { Module } = WebAssembly;
  let page;
  let attune;

  const begin = async (options, entries) => {
    page = openPage({ entries });
    WebAssembly.Module = class {
      constructor() {
        throw new Error('refused');
      }
    };
    attune = (await load('index.ts')).init({ ...OPTIONS, ...options });
    const code = await attune.ready.catch(({ code }) => code);
    await settle();
    return code;
  };
  afterEach(async () => {
    WebAssembly.Module = Module;
    await attune?.shutdown();
    attune = undefined;
    closePage();
  });
  const everything = async () => {
    await written();
    const stored = JSON.stringify([await allIn(page.database), [...page.entries]]);
    return { stored, bodies: page.posts.map(({ text }) => JSON.parse(text)) };
  };
  const eventsOf = (bodies) => bodies.flatMap(({ events }) => events);

  it('lets through what its lists allow, with what it would have without one, and tells what not', async () => {
    await begin({ filter: { allow: ['shop.*', 'order'], deny: ['shop.secret*'] } });
    for (const type of ['shop.view', 'shop.secret.note', 'other']) attune.track(type, { a: 1 });
    attune.track('order', { price: 12 });
    attune.identify('someone');
    const { stored, bodies } = await everything();
    assert.deepEqual(
      eventsOf(bodies).map(({ event_type, metadata }) => [event_type, metadata]),
      [
        ['shop.view', undefined],
        ['order', { price: 12 }],
        ['attune.identify', undefined],
      ],
    );
    assert.deepEqual(bodies[0].dropped, { denied_type: 2 });
    assert.equal(bodies[0].context.page.path, '/');
    assert.ok(!stored.includes('secret') && !JSON.stringify(bodies).includes('secret'));
  });

  for (const filter of [
    { redact: 'all' },
    { url_params: {} },
    { types: [{ on: 'x', redact: ['email'] }] },
    { types: [{ on: 'order', properties: { price: { type: 'number' } } }] },
    { types: [{ on: 'order', others: 'remove' }] },
  ]) {
    it(`lets nothing but ids, types and times leave by ${JSON.stringify(filter)}`, async () => {
      await begin({ filter });
      attune.track('order', { note: MAIL });
      attune.track(`mail ${MAIL}`);
      attune.identify(MAIL);
      attune.identify('customer-1234');
      attune.track('last');
      const { stored, bodies } = await everything();
      assert.deepEqual(
        eventsOf(bodies).map(({ event_type, user_id, metadata }) => [event_type, user_id, metadata]),
        [
          ['order', undefined, undefined],
          ['attune.identify', undefined, undefined],
          ['attune.identify', 'customer-1234', undefined],
          ['last', 'customer-1234', undefined],
        ],
      );
      assert.ok(bodies.every(({ context }) => !('page' in context)));
      assert.ok(!stored.includes('planted') && !JSON.stringify(bodies).includes('planted'));
      assert.ok(stored.includes('customer-1234'));
    });
  }

  it('captures nothing where it cannot be read, and says so', async () => {
    assert.equal(await begin({ filter: { deny: 5 } }), 'filter_invalid');
    attune.track('order', { note: MAIL });
    attune.identify(MAIL);
    attune.flush();
    const { stored, bodies } = await everything();
    assert.deepEqual(bodies, []);
    assert.ok(!stored.includes('order') && !stored.includes('planted'), stored);
  });

  for (const [name, options, entries] of [
    ['the site says that the bundle has', { filter: 'bundle' }, undefined],
    ['an earlier page has found in the bundle', {}, new Map([['attune/demo/policy', '1']])],
  ]) {
    it(`stores nothing that would be judged by one that ${name}, and sends what the collector judges`, async () => {
      await begin(options, entries);
      attune.track('order', { note: MAIL }, { priority: 'critical' });
      attune.identify('someone');
      attune.track('last');
      const { stored, bodies } = await everything();
      assert.deepEqual(
        eventsOf(bodies).map(({ event_type, user_id, metadata }) => [event_type, user_id, metadata]),
        ['order', 'attune.identify', 'last'].map((type) => [type, undefined, undefined]),
      );
      assert.ok(bodies.every(({ context }) => !('page' in context)));
      assert.ok(!/order|last|someone|planted/.test(stored), stored);
    });
  }
});

describe('a policy', () => {
  beforeEach(() => openPage());
  afterEach(closePage);

  const TYPES = [
    'page_view',
    'shop.view',
    'shop.view.more',
    'shop',
    'attune.identify',
    'attune.exposure',
    'x',
  ];
  const POLICIES = [
    {},
    { allow: ['shop.*'] },
    { allow: ['*'], deny: ['shop.view'] },
    { deny: ['*'] },
    { deny: ['attune.*', 'x'] },
    { bots: 'drop' },
    { seed: 'spring', types: [{ on: '*', sample: 0.3 }] },
    {
      types: [
        { on: 'shop.*', sample: 0.5 },
        { on: 'shop.view*', sample: 0.1 },
        { on: 'shop.view', sample: 1 },
        { on: 'attune.*', sample: 0.7 },
      ],
    },
    { per_minute: 5 },
    { per_minute: 9, types: [{ on: 'shop.*', per_minute: 2 }] },
  ];
  const AGENTS = [
    'Mozilla/5.0 (X11; Linux x86_64) Firefox/140',
    'Examplebot/2.1',
    'CUBOT P80',
    'HeadlessChrome/140',
  ];

  it('says without WebAssembly what the core’s filter says', async (t) => {
    const { openPolicy } = await load('plain-policy.ts');
    const { openJudges } = await load('filter.ts');
    t.mock.method(performance, 'now', () => 1_000);
    const found = new Set();
    for (const policy of POLICIES) {
      for (const userAgent of AGENTS) {
        navigator.userAgent = userAgent;
        const plain = openPolicy(policy);
        const judges = await openJudges(policy);
        for (let turn = 0; turn < 40; turn += 1) {
          const member = `member-${turn}-é`;
          for (const type of TYPES) {
            const drops = {};
            judges.pass(type, member, undefined, drops, () => {});
            const [expected] = Object.keys(drops);
            const said = plain.judge(type, member);
            found.add(said);
            assert.equal(said, expected, JSON.stringify([policy, userAgent, type, member]));
          }
        }
      }
    }
    assert.deepEqual(
      [...found].sort(),
      ['bot', 'denied_type', 'rate_limited', 'sampled_out', undefined].sort(),
    );
  });

  it('takes an id for harmless, and no text that has what is redacted', async () => {
    const { isHarmless } = (await load('plain-policy.ts')).openPolicy({});
    for (const text of ['customer-1234', 'ada', '018f0b5e-8a3c-7d11-9e4e-5b8f2a6c1d90', '12345', 'a_b-c']) {
      assert.ok(isHarmless(text), text);
    }
    for (const text of [
      ...['ada@example.com', 'ada%40example.com', '+49 30 123456', '(030) 12 34 56 7', '0049301234567'],
      ...[
        '4111 1111 1111 1111',
        'GB82 WEST 1234 5698 7654 32',
        'de89370400440532013000',
        '192.0.2.7',
        '2001:db8::7',
      ],
    ]) {
      assert.ok(!isHarmless(text), text);
    }
  });

  it('fills its rates again evenly', async (t) => {
    const { openPolicy } = await load('plain-policy.ts');
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    const { judge } = openPolicy({ per_minute: 2 });
    const at = (ms) => {
      now = ms;
      return judge('view', 'member') ?? 'kept';
    };
    assert.deepEqual([0, 0, 0, 29_000, 30_000, 30_500, 500_000, 500_000, 500_000].map(at), [
      'kept',
      'kept',
      'rate_limited',
      'rate_limited',
      'kept',
      'rate_limited',
      'kept',
      'kept',
      'rate_limited',
    ]);
  });
});
