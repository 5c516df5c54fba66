/** The chain of trust in the page, with WebCrypto and without: what is taken, what is refused, and what stays. */

import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';
import {
  damaged,
  delta,
  envelope,
  HOUR_MS,
  hashOf,
  keyOf,
  keySet,
  Publisher,
  SIGNING,
  STRANGER,
  statement,
  TRUSTED,
} from './publisher.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example', trust: TRUSTED.text };
const TERMS = { ...OPTIONS, project: 'shop', environment: 'live' };
const { crypto } = globalThis;
const whole = { getRandomValues: crypto.getRandomValues.bind(crypto), subtle: crypto.subtle };
const NAMED = 21;

function setCrypto(value) {
  Object.defineProperty(globalThis, 'crypto', { value, configurable: true });
}

/** A keeper with what stands around it. */
class Rig {
  publisher = new Publisher();
  entries = new Map();
  reports = [];
  /** Revisions of the bundles that the core was given. */
  taken = [];
  member = 'm1';
  /** Whether the driver has found requests blocked. */
  isBlocked = false;
  /** Names of the other files that were loaded. */
  loaded = [];

  async open(terms = TERMS) {
    const page = openPage({ entries: this.entries });
    const { fetch } = globalThis;
    globalThis.fetch = async (url, options) => {
      const isBundle = new URL(url).pathname.startsWith('/v1/bundle/');
      if (!isBundle) this.loaded.push(basename(url));
      return isBundle ? this.publisher.answer(url) : fetch(url, options);
    };
    const { openStorage } = await load('browser/storage.ts');
    const driving = {
      storage: openStorage(() => true),
      core: ([operation], bytes) => {
        assert.equal(operation, NAMED);
        this.taken.push(hashOf(bytes));
      },
      input: (act) => act(),
      heard: (answer) => answer,
      member: () => this.member,
      report: (code) => this.reports.push(code),
      url: (path) => `https://collector.example${path}?k=demo`,
      isEnded: () => false,
      isBlocked: () => this.isBlocked,
      taken: () => undefined,
    };
    const { openKeeper } = await load('trust.ts');
    this.attempt = await openKeeper(driving, terms);
    return page;
  }

  /** One attempt: the code of what it throws. */
  async try() {
    try {
      await this.attempt();
      return undefined;
    } catch (error) {
      return error.code;
    }
  }

  /** Publishes, and takes it. */
  async take(fields, about) {
    const bundle = this.publisher.publish(fields, about);
    assert.equal(await this.try(), undefined);
    return bundle;
  }
}

for (const backend of ['WebCrypto', 'the verifier in WebAssembly']) {
  describe(`the chain of trust with ${backend}`, () => {
    let rig;

    beforeEach(async () => {
      setCrypto(backend === 'WebCrypto' ? whole : { getRandomValues: whole.getRandomValues });
      rig = new Rig();
      await rig.open();
    });
    afterEach(() => {
      closePage();
      setCrypto(whole);
    });

    it('takes what a trusted key has let sign, and asks for it once', async () => {
      const bundle = await rig.take();
      assert.deepEqual(rig.taken, [hashOf(bundle)]);
      assert.deepEqual(rig.publisher.asked, ['current', 'keys', 'hash']);
      assert.deepEqual(rig.loaded, [backend === 'WebCrypto' ? 'trust.wasm' : 'verifier.wasm']);
      assert.equal(await rig.try(), undefined);
      assert.deepEqual(rig.publisher.asked.slice(3), ['current']);
      assert.equal(rig.taken.length, 1);
    });

    it('says when the statement is due again, before its time is over', async () => {
      rig.publisher.publish({}, { expires: Date.now() + HOUR_MS });
      const againMs = await rig.attempt();
      assert.ok(againMs > HOUR_MS / 3 && againMs < HOUR_MS, `${againMs} ms`);
      rig.publisher.publish({}, { expires: Date.now() + 1_000 });
      assert.equal(await rig.attempt(), 10_000);
    });

    it('has nothing to say where nothing is published', async () => {
      assert.equal(await rig.attempt(), undefined);
      assert.deepEqual(rig.taken, []);
    });

    it('names a collector without a key set, and takes nothing of it', async () => {
      rig.publisher.keys = undefined;
      rig.publisher.publish();
      assert.equal(await rig.try(), 'bundle_keys_missing');
      rig.publisher.keys = keySet();
      assert.equal(await rig.try(), undefined);
      assert.equal(rig.taken.length, 1);
    });

    const past = Date.now() - 1_000;
    for (const [name, expected, make] of [
      ['a key set of a stranger', 'bundle_unknown_key', () => ({ keys: keySet({ by: STRANGER }) })],
      ['a damaged key set', 'bundle_tampered', () => ({ keys: damaged(keySet()) })],
      ['a key set past its time', 'bundle_expired', () => ({ keys: keySet({ expires: past }) })],
      ['a key set of another project', 'bundle_wrong_project', () => ({ keys: keySet({ project: 'news' }) })],
      ['bytes that are no key set', 'bundle_bad_magic', () => ({ keys: Buffer.from('<html>') })],
      [
        'a key past its time',
        'bundle_expired',
        () => ({ keys: keySet({ keys: [{ ...SIGNING, expires: past }] }) }),
      ],
      [
        'a stranger’s statement',
        'bundle_unknown_key',
        (good) => ({ current: statement(good, { by: STRANGER }) }),
      ],
      ['a damaged statement', 'bundle_tampered', (good) => ({ current: damaged(statement(good), 60) })],
      [
        'a statement past its time',
        'bundle_expired',
        (good) => ({ current: statement(good, { expires: past }) }),
      ],
      [
        'a statement of another project',
        'bundle_wrong_project',
        (good) => ({ current: statement(good, { project: 'news' }) }),
      ],
      [
        'a statement of another environment',
        'bundle_wrong_environment',
        (good) => ({ current: statement(good, { environment: 'test' }) }),
      ],
      ['half a statement', 'bundle_bad_envelope', (good) => ({ current: statement(good).subarray(0, 100) })],
    ]) {
      it(`refuses ${name}`, async () => {
        const good = rig.publisher.publish();
        Object.assign(rig.publisher, make(good));
        assert.equal(await rig.try(), expected);
        assert.deepEqual(rig.taken, []);
      });
    }

    for (const [name, expected, make] of [
      ['a bundle of a stranger', 'bundle_unknown_key', (good) => envelope({ ...good, by: STRANGER })],
      ['a damaged bundle', 'bundle_tampered', (good) => damaged(envelope(good))],
      [
        'a bundle of another project',
        'bundle_wrong_project',
        (good) => envelope({ ...good, project: 'news' }),
      ],
      [
        'a bundle of another environment',
        'bundle_wrong_environment',
        (good) => envelope({ ...good, environment: 'test' }),
      ],
      ['a bundle past its time', 'bundle_expired', (good) => envelope({ ...good, expires: past })],
      [
        'another bundle than was named',
        'bundle_wrong_hash',
        (good) => envelope({ ...good, body: 'other rules' }),
      ],
      ['bytes that are no bundle', 'bundle_bad_magic', () => Buffer.from('<html>')],
      ['half a bundle', 'bundle_truncated', (good) => envelope(good).subarray(0, 80)],
    ]) {
      it(`refuses ${name}, and what is in effect stays`, async () => {
        const first = await rig.take({ revision: 1 });
        const next = { revision: 2 };
        rig.publisher.publish(next);
        const named = hashOf(envelope(next));
        rig.publisher.bundles = [Object.assign(make(next), { answers: named })];
        assert.equal(await rig.try(), expected);
        assert.deepEqual(rig.taken, [hashOf(first)]);
        rig.publisher.bundles = [envelope(next)];
        assert.equal(await rig.try(), undefined);
        assert.deepEqual(rig.taken, [hashOf(first), named]);
      });
    }

    it('takes a delta of the bundle in effect', async () => {
      const first = await rig.take({ revision: 1, body: 'one body of rules' });
      const second = rig.publisher.publish({ revision: 2, body: 'another body of rules' });
      rig.publisher.deltas[hashOf(first)] = delta(first, second);
      rig.publisher.bundles = [];
      assert.equal(await rig.try(), undefined);
      assert.deepEqual([rig.taken.at(-1), rig.reports], [hashOf(second), []]);
    });

    for (const [name, expected, make] of [
      ['is damaged', 'bundle_tampered', (first, second) => damaged(delta(first, second), 70)],
      ['is cut', 'bundle_bad_delta', (first, second) => delta(first, second).subarray(0, 60)],
      [
        'starts from another bundle',
        'bundle_wrong_parent',
        (_, second) => delta(envelope({ revision: 7 }), second),
      ],
    ]) {
      it(`asks for the whole bundle where a delta ${name}`, async () => {
        const first = await rig.take({ revision: 1, body: 'one body of rules' });
        const second = rig.publisher.publish({ revision: 2, body: 'another body of rules' });
        rig.publisher.deltas[hashOf(first)] = make(first, second);
        assert.equal(await rig.try(), undefined);
        assert.deepEqual([rig.taken.at(-1), rig.reports], [hashOf(second), [expected]]);
      });
    }

    it('asks one question alone where requests are blocked, or were on an earlier page', async () => {
      for (const isNoted of [true, false]) {
        const page = await rig.open();
        rig.isBlocked = !isNoted;
        if (isNoted) page.entries.set('attune/demo/blocked', '1');
        rig.publisher.asked = [];
        rig.publisher.answer = (url) => {
          rig.publisher.asked.push(new URL(url).pathname);
          throw new TypeError('Failed to fetch');
        };
        assert.equal(await rig.try(), 'bundle_unreachable');
        assert.deepEqual(rig.publisher.asked, ['/v1/bundle/current']);
      }
    });

    it('asks for the key set again where a key is unknown, once a minute at most', async (test) => {
      await rig.take({ revision: 1 });
      const next = keyOf(4);
      const rotated = { revision: 2, by: next };
      rig.publisher.publish(rotated, rotated);
      rig.publisher.keys = keySet({ revision: 2, keys: [next] });
      assert.equal(await rig.try(), 'bundle_unknown_key');
      assert.equal(rig.publisher.asked.filter((name) => name === 'keys').length, 1);
      const later = performance.now() + 60_000;
      test.mock.method(performance, 'now', () => later);
      assert.equal(await rig.try(), undefined);
      assert.equal(rig.publisher.asked.filter((name) => name === 'keys').length, 2);
      assert.equal(rig.taken.length, 2);
    });

    it('refuses what is older, over a reload too', async () => {
      const issuedAt = Date.now();
      await rig.take({ revision: 5 }, { issuedAt });
      for (const reload of [false, true]) {
        if (reload) await rig.open();
        rig.publisher.publish({ revision: 4 }, { issuedAt: issuedAt + 1 });
        assert.equal(await rig.try(), 'bundle_lower_revision');
        rig.publisher.publish({ revision: 5 }, { issuedAt: issuedAt - 1 });
        assert.equal(await rig.try(), 'bundle_superseded');
      }
      const older = rig.publisher.keys;
      rig.publisher.keys = keySet({ revision: 2 });
      await rig.open();
      await rig.take({ revision: 5 }, { issuedAt });
      rig.publisher.keys = older;
      await rig.open();
      assert.equal(await rig.try(), 'bundle_lower_revision');
      // Who trusts another key begins anew.
      rig.publisher.keys = keySet({ by: STRANGER });
      await rig.open({ ...TERMS, trust: STRANGER.text });
      await rig.take({ revision: 1 }, { issuedAt: issuedAt - HOUR_MS });
    });

    it('remembers for the page load where nothing can be stored, and believes no nonsense that is', async () => {
      rig.entries.set('attune/demo/trust', `["${TRUSTED.text}",1e300,"x"]`);
      rig.entries.set = () => {
        throw new Error('the quota is used up');
      };
      await rig.take({ revision: 5 });
      rig.publisher.publish({ revision: 4 });
      assert.equal(await rig.try(), 'bundle_lower_revision');
    });

    it('goes to a candidate and back while the statement keeps its revision', async () => {
      const settled = await rig.take({ revision: 5 });
      const trial = envelope({ revision: 6, body: 'on trial' });
      rig.publisher.bundles.push(trial);
      const about = { revision: 5 };
      const candidate = { revision: 6, bundle: trial, share: 10_000 };
      rig.publisher.current = statement(settled, { ...about, candidate });
      assert.equal(await rig.try(), undefined);
      rig.publisher.current = statement(settled, about);
      assert.equal(await rig.try(), undefined);
      assert.deepEqual(rig.taken, [settled, trial, settled].map(hashOf));
    });

    it('gives each visitor the bundle that the seed gives them', async () => {
      const settled = await rig.take({ revision: 5 });
      const trial = envelope({ revision: 6, body: 'on trial' });
      rig.publisher.bundles.push(trial);
      const candidate = { revision: 6, bundle: trial, share: 5_000 };
      rig.publisher.current = statement(settled, { revision: 5, candidate });
      const { bucket } = await bucketing();
      for (const member of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']) {
        rig.member = member;
        assert.equal(await rig.try(), undefined);
        const expected = bucket('seed', member) < 0.5 ? trial : settled;
        assert.equal(rig.taken.at(-1), hashOf(expected), member);
      }
    });

    it('takes the project of the key set where none is asked for', async () => {
      await rig.open(OPTIONS);
      const good = rig.publisher.publish();
      rig.publisher.current = statement(good, { project: 'news' });
      assert.equal(await rig.try(), 'bundle_wrong_project');
      rig.publisher.current = statement(good);
      assert.equal(await rig.try(), undefined);
    });
  });
}

/** The evaluator's hash, which is the core's. */
async function bucketing() {
  const { hash } = await import('../dist/evaluator.js');
  return { bucket: (seed, unit) => hash(seed, unit, 2) };
}

describe('a page that trusts keys', () => {
  let page;
  let attune;
  let publisher;
  let errors;

  beforeEach(() => {
    page = openPage();
    publisher = new Publisher();
    const { fetch } = globalThis;
    globalThis.fetch = async (url, options) => {
      const { pathname } = new URL(url);
      return pathname.startsWith('/v1/bundle/') ? publisher.answer(url) : fetch(url, options);
    };
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  async function start() {
    page.answers['/v1/bundle'] = () => new Response(envelope());
    attune = (await load('index.ts')).init(OPTIONS);
    errors = [];
    attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
    const core = await page.load('start');
    await attune.ready;
    await settle();
    return core;
  }

  it('hands the core what it has verified, and never what nobody has', async () => {
    const bundle = publisher.publish();
    const core = await start();
    assert.deepEqual(core.of('namedBundle'), [['namedBundle', new Uint8Array(bundle)]]);
    assert.deepEqual([core.of('bundle'), errors], [[], []]);
  });

  it('says once what is wrong, and goes on without rules', async () => {
    publisher.keys = undefined;
    publisher.publish();
    const core = await start();
    assert.deepEqual([core.of('namedBundle'), core.of('bundle')], [[], []]);
    assert.deepEqual(errors, [
      'bundle_keys_missing: https://collector.example/v1/bundle/keys?k=demo has no key set, so nothing can be trusted that is published there; what is in effect stays',
    ]);
    page.dispatch('pagehide');
    page.dispatch('pageshow', { persisted: true });
    await settle();
    assert.equal(errors.length, 1);
    assert.ok(publisher.asked.filter((name) => name === 'keys').length > 1, publisher.asked.join());
    const id = attune.track('view');
    assert.equal(core.of('track').length, 1, id);
  });

  it('asks anew for another visitor, who may get another candidate', async () => {
    publisher.publish();
    await start();
    const before = publisher.asked.length;
    attune.reset();
    await settle();
    assert.deepEqual(publisher.asked.slice(before), ['current']);
  });

  it('stays one instance with the keys that it began with', async () => {
    publisher.publish();
    const { init } = await load('index.ts');
    attune = init(OPTIONS);
    assert.equal(init({ writeKey: OPTIONS.writeKey, collector: OPTIONS.collector }), attune);
    assert.throws(
      () => init({ ...OPTIONS, trust: [STRANGER.text] }),
      ({ code, message }) => code === 'already_initialised' && message.includes('"trust"'),
    );
  });
});
