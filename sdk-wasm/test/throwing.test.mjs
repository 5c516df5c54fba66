/** Values of the site's that throw where they are looked at, and filters that call back. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };
const thrown = () => {
  throw new Error('of the site');
};
/** Throws whatever is asked of it. */
const hostile = new Proxy({}, { get: thrown, ownKeys: thrown, getPrototypeOf: thrown });
const nameless = Object.create(null);
const typesOf = (core) => core.of('track').map(([, , type]) => type);
const { getter } = {
  get getter() {
    return Object.defineProperty({}, 'x', { enumerable: true, get: thrown });
  },
};

describe('what throws', () => {
  let init;
  let page;
  let attune;

  beforeEach(async () => {
    page = openPage();
    ({ init } = await load('index.ts'));
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  for (const [name, call] of Object.entries({
    'metadata of a page view': (attune) => attune.page(getter),
    metadata: (attune) => attune.track('view', getter),
    'metadata that throws what has no text': (attune) =>
      attune.track('view', {
        get x() {
          throw nameless;
        },
      }),
    'metadata of a page view that throws what has no text': (attune) =>
      attune.page({
        get x() {
          throw nameless;
        },
      }),
    options: (attune) => attune.track('view', {}, hostile),
    'a priority without a text': (attune) => attune.track('view', {}, { priority: nameless }),
    'options of identify': (attune) => attune.identify('ada', {}, hostile),
    'traits of a group': (attune) => attune.group('g', getter),
    'fields of the context': (attune) => attune.setContext(hostile),
    consent: (attune) => attune.consent(hostile),
  })) {
    it(`stays out of the page, and onError hears of it: ${name}`, async () => {
      attune = init(OPTIONS);
      const core = await page.load();
      const errors = [];
      attune.onError((error) => errors.push(error));
      call(attune);
      attune.track('next');
      await settle();
      assert.equal(errors.length, 1, `${errors}`);
      assert.match(errors[0].code, /^(json_invalid|priority_unknown)$/);
      assert.deepEqual(typesOf(core), ['next']);
    });
  }

  it('is no end of events where the site’s own filter tracks: those are dropped, and said to be', async () => {
    attune = init({
      ...OPTIONS,
      beforeSend(event) {
        attune.track('again');
        attune.track('again');
        return event;
      },
    });
    const core = await page.load();
    const errors = [];
    attune.onError((error) => errors.push(error.code));
    attune.track('once');
    await settle();
    assert.deepEqual(errors, ['before_send_failed', 'before_send_failed']);
    attune.track('twice');
    await settle();
    assert.deepEqual(typesOf(core), ['once', 'twice']);
  });

  it('is no call that is taken out of the object', async () => {
    attune = init(OPTIONS);
    const core = await page.load();
    const { track, reset, decision, onDecision, variable, signal, flush } = attune;
    track('taken out');
    reset();
    flush();
    onDecision('slot', () => {})();
    assert.deepEqual(
      [decision('slot'), variable('name', 'none'), signal('views')],
      [undefined, 'none', undefined],
    );
    assert.deepEqual(typesOf(core), ['taken out']);
    assert.equal(core.of('reset').length, 1);
    assert.equal(attune.constructor.name, Object.getPrototypeOf(attune).constructor.name);
  });

  it('is no wrong moment, nor a call that is none', async () => {
    attune = init(OPTIONS);
    await page.load();
    const errors = [];
    attune.onError(({ code }) => errors.push(code));
    attune.at();
    attune.at({ id: 'x', ms: 1 }, 7);
    await settle();
    assert.deepEqual(errors, ['json_invalid', 'json_invalid']);
  });
});
