/** A page whose requests are blocked: what it asks, and when, by a clock of the test's own, with the core and without WebAssembly. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { load } from './load.mjs';
import { allIn, closePage, openPage, settle } from './page.mjs';

const COLLECTOR = 'https://collector.example';
const MINUTE_MS = 60_000;
const STEP_MS = 2_000;
const FLAG = 'attune/demo/blocked';

for (const [how, hasCore] of [
  ['with its core', true],
  ['without WebAssembly', false],
]) {
  describe(`a blocked page ${how}`, () => {
    const { Module } = WebAssembly;
    let page;
    let attune;
    let errors;
    /** What the page has asked the collector, by path. */
    let asked;
    let isBlocked;
    let streams;

    const open = (options = {}) => {
      page = openPage(options);
      const { fetch } = globalThis;
      const watched = async (url, options) => {
        const { pathname } = new URL(url);
        if (!pathname.startsWith('/v1/')) return fetch(url, options);
        asked.push(pathname);
        if (isBlocked) throw new TypeError('Failed to fetch');
        return fetch(url, options);
      };
      Object.assign(globalThis, { fetch: watched });
      window.fetch = watched;
      asked = [];
      page.answers['/v1/bundle'] = () => Response.json({ code: 'bundle_missing' }, { status: 404 });
      page.answers['/v1/stream/token'] = () => Response.json({ token: 'stream' });
    };
    const start = async (options) => {
      attune = (await load('index.ts')).init({
        ...{ writeKey: 'demo', collector: COLLECTOR, wasmUrl: `${COLLECTOR}/attune_bg.wasm` },
        ...options,
      });
      errors = [];
      attune.onError(({ code }) => errors.push(code));
      // What is stored is read, and the parts are loaded that come behind.
      for (let turn = 0; turn < 20; turn += 1) await pass(100);
      // A busy machine loads them late.
      for (let turn = 0; turn < 50; turn += 1) await settle();
    };
    const pass = async (ms) => {
      mock.timers.tick(ms);
      await settle();
    };
    /** What the page asks within minutes, each with the minute. */
    const within = async (minutes) => {
      const before = asked.length;
      const found = [];
      for (let ms = 0; ms < minutes * MINUTE_MS; ms += STEP_MS) {
        const known = asked.length;
        await pass(STEP_MS);
        for (const path of asked.slice(known)) found.push([Math.floor(ms / MINUTE_MS), path]);
      }
      assert.equal(asked.length, before + found.length);
      return found;
    };
    const minutesOf = (found) => found.map(([minute]) => minute);
    /** A page with an event, whose requests are blocked and which has made its probe. */
    const startBlocked = async (options) => {
      page.entries.set('attune/demo/member', 'm1');
      page.entries.set('attune/demo/token', 'm1\nsecret');
      await start(options);
      attune.track('view');
      // Without the core there are pauses of half a minute between the first requests.
      await within(2);
      assert.equal(await told(), 1);
      await within(6);
    };
    /** How often it has been told that requests are blocked, once its words are there. */
    const told = async () => {
      for (let turn = 0; turn < 100 && !errors.includes('collector_blocked'); turn += 1) await settle();
      return errors.filter((code) => code === 'collector_blocked').length;
    };
    const see = () => {
      for (const isHidden of [true, false]) {
        page.document.hidden = isHidden;
        page.dispatch('visibilitychange');
      }
    };
    const comeBack = () => {
      page.dispatch('pagehide');
      page.dispatch('pageshow', { persisted: true });
    };

    beforeEach(() => {
      mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
      mock.method(performance, 'now', () => Date.now() - 1_700_000_000_000);
      if (!hasCore) {
        WebAssembly.Module = class {
          constructor() {
            throw new Error('refused');
          }
        };
      }
      streams = [];
      globalThis.EventSource = class extends EventTarget {
        constructor(url) {
          super();
          streams.push(url);
        }
        close() {}
      };
      isBlocked = true;
      open();
    });
    afterEach(async () => {
      await attune.shutdown();
      mock.timers.reset();
      mock.restoreAll();
      WebAssembly.Module = Module;
      closePage();
    });

    it('makes one probe after five minutes, and is silent for hours', async () => {
      page.entries.set('attune/demo/member', 'm1');
      page.entries.set('attune/demo/token', 'm1\nsecret');
      await start();
      attune.track('view');
      await within(2);
      const before = asked.length;
      assert.ok(before >= 3 && before <= 5, `${asked}`);
      for (let event = 0; event < 20; event += 1) attune.track('view');
      const found = await within(120);
      assert.equal(found.length, 1, `${found}`);
      assert.ok(found[0][0] >= 2 && found[0][0] <= 5, `${found}`);
      assert.equal(await told(), 1);
      const kept = (await allIn(page.database)).filter(([, value]) => value?.type === 'view');
      assert.equal(kept.length, 21);
    });

    it('asks once when the browser is online, and when somebody wants everything sent', async () => {
      await startBlocked();
      for (const ask of [() => page.dispatch('online'), () => attune.flush()]) {
        ask();
        assert.deepEqual(minutesOf(await within(20)), [0]);
      }
    });

    it('asks once when it is seen again, every five minutes at most', async () => {
      await startBlocked();
      for (const turn of [see, comeBack]) {
        const found = [];
        for (let minute = 0; minute < 12; minute += 1) {
          turn();
          found.push(...(await within(1)).map(() => minute));
        }
        assert.deepEqual(found, [0, 5, 10]);
        await within(5);
      }
    });

    it('hands nothing to the browser when it is only hidden', async () => {
      await startBlocked();
      const before = page.beacons.length;
      for (let turn = 0; turn < 5; turn += 1) {
        see();
        await within(1);
      }
      assert.equal(page.beacons.length, before);
    });

    it('delivers everything after the first answer, and follows the collector again', async () => {
      await startBlocked();
      for (let event = 0; event < 20; event += 1) attune.track('view');
      isBlocked = false;
      attune.flush();
      await within(1);
      const delivered = page.posts.filter(({ pathname }) => pathname === '/v1/events');
      const events = delivered.flatMap(({ text }) => JSON.parse(text).events);
      assert.equal(events.length, 21);
      assert.equal(page.entries.has(FLAG), false);
      assert.equal(streams.length, hasCore ? 1 : 0);
      isBlocked = true;
      attune.track('view');
      assert.ok((await within(20)).length > 5, 'what has answered is down when it is silent');
      assert.equal(await told(), 1);
    });

    it('leaves word to the pages that follow: each asks once', async () => {
      await startBlocked();
      assert.equal(page.entries.get(FLAG), '1');
      await attune.shutdown();
      await pass(100);
      const { entries, database } = page;
      open({ entries, database });
      entries.set('attune-erase/demo/gone', 'secret');
      await start(hasCore ? { visitorCookie: 'shop.example' } : {});
      attune.track('view');
      const found = await within(120);
      assert.deepEqual([asked.length, found.length <= 1], [1, true], `${asked}`);
      assert.equal(await told(), 1);
      isBlocked = false;
      attune.flush();
      await within(1);
      assert.equal(entries.has(FLAG), false);
    });

    it('asks no more where something was tracked while its one question was out', async () => {
      page.entries.set(FLAG, '1');
      const { fetch } = globalThis;
      let fail;
      const held = (url, options) =>
        url.includes('/v1/')
          ? new Promise((_, failed) => {
              fail = () => fetch(url, options).catch(failed);
            })
          : fetch(url, options);
      Object.assign(globalThis, { fetch: held });
      await start();
      attune.track('view');
      await pass(1_000);
      attune.track('view');
      await settle();
      await fail();
      await settle();
      assert.equal(await told(), 1);
      Object.assign(globalThis, { fetch });
      assert.deepEqual(await within(60), []);
    });

    it('asks nothing while the browser knows that it is offline', async () => {
      await startBlocked();
      navigator.onLine = false;
      attune.flush();
      assert.deepEqual(await within(20), []);
      navigator.onLine = true;
      page.dispatch('online');
      assert.deepEqual(minutesOf(await within(20)), [0]);
    });
  });
}
