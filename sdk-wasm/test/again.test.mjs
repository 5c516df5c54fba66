/** A second `init` on a page: what it says of consent counts, and what has no effect is told. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: '/' };

describe('a second init', () => {
  let init;
  let page;
  let attune;
  let errors;

  beforeEach(async () => {
    page = openPage();
    ({ init } = await load('index.ts'));
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  function begin(options = {}) {
    attune = init({ ...OPTIONS, ...options });
    errors = [];
    attune.onError(({ code, kind, message }) => errors.push([code, kind, message]));
  }
  const again = (options = {}) => assert.equal(init({ ...OPTIONS, ...options }), attune);

  it('is silent where it says the same, also by fresh objects and functions', async () => {
    const options = () => ({
      collector: new URL('https://shop.example/'),
      context: { shop: { plan: 'gold' } },
      consent: { analytics: 'granted' },
      withoutWasm: ['purchase'],
      beforeSend: (event) => event,
      doNotTrack: true,
    });
    begin(options());
    again(options());
    again({});
    again({ strict: false, cookieless: undefined });
    await settle();
    assert.deepEqual(errors, []);
  });

  it('names the options that have no effect, and takes none of them', async () => {
    begin({ context: { plan: 'gold' } });
    again({ context: { plan: 'free' }, strict: true, beforeSend: () => null, withoutWasm: [] });
    await settle();
    const message =
      'init: another "context", "strict", "beforeSend" than at the first call is left out, since a page is started once; a later "consent" counts';
    assert.deepEqual(errors, [['already_initialised', 'usage', message]]);
    const core = await page.load();
    attune.track('view');
    assert.equal(core.of('track').length, 1);
    assert.equal(core.of('context').at(-1)[2].plan, 'gold');
  });

  it('takes what it says of consent as consent() does: one that is left out stays as it was', async () => {
    begin();
    attune.consent({ functional: 'denied' });
    again({ consent: { analytics: 'denied', personalization: 'denied' } });
    const core = await page.load();
    attune.track('view');
    await settle();
    assert.equal(core.of('consent').at(-1)[1], 0);
    assert.deepEqual([core.of('track'), errors], [[], []]);
  });

  it('takes nothing back that was said since, where it says of consent what it has said before', async () => {
    const consent = () => ({ analytics: 'unknown', personalization: 'unknown' });
    begin({ consent: consent() });
    const core = await page.load();
    attune.consent({ analytics: 'granted' });
    again({ consent: consent() });
    again();
    await settle();
    attune.track('view');
    assert.deepEqual([core.of('consent').at(-1)[1], core.of('track').length], [3, 1]);
  });

  it('says what differs without its words, where nothing may be requested yet', async () => {
    begin({ strict: true, consent: { analytics: 'unknown', personalization: 'unknown' } });
    again({ cookieless: true });
    await settle();
    assert.deepEqual(errors, [['already_initialised', 'usage', 'cookieless']]);
  });
});
