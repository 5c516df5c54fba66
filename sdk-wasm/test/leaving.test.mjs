/** A page that hides or leaves while what it sends is being compressed, or on its way. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example' };
/** More than the time after which silence counts. */
const STAYS_MS = 200;

/** Has the browser's compressor take its time until it is told to end, with what it was given. */
function holdCompressor() {
  let end;
  const held = new Promise((resolve) => {
    end = resolve;
  });
  globalThis.CompressionStream = class extends TransformStream {
    constructor() {
      super({ flush: () => held });
    }
  };
  return { end };
}

describe('a page', () => {
  let page;
  let attune;
  let compressor;
  let core;

  /** Has tracked an event that is worth being compressed. */
  beforeEach(async () => {
    page = openPage();
    compressor = holdCompressor();
    attune = (await load('index.ts')).init(OPTIONS);
    core = await page.load();
    attune.track('large', { text: 'x'.repeat(2_000) });
    await settle();
    assert.deepEqual(page.posts, []);
  });
  afterEach(async () => {
    await attune.shutdown();
    closePage();
  });

  it('sends what is being compressed at once and only once when the page hides or leaves', async () => {
    page.document.hidden = true;
    page.dispatch('visibilitychange');
    await settle();
    assert.equal(JSON.parse(page.posts[0].text).events[0].event_type, 'large');
    page.dispatch('pagehide');
    compressor.end();
    await settle();
    // The page that stays reads the answer to it.
    assert.deepEqual([page.posts.length, page.beacons, core.of('outcome').length], [1, [], 1]);
  });

  it('sends nothing that was being compressed when its visitor was forgotten', async () => {
    attune.forget();
    compressor.end();
    await settle();
    page.dispatch('pagehide');
    const sent = page.posts.filter(({ pathname }) => pathname === '/v1/events');
    assert.deepEqual([sent, page.beacons, core.of('outcome')], [[], [], []]);
  });

  it('takes what fails as the page goes for sent, and only where the page stays for unanswered', async () => {
    page.answers['/v1/events'] = () => Promise.reject(new TypeError('the page goes'));
    // As Chromium says it of a page that a script closes.
    window.closed = true;
    compressor.end();
    // The stand-in for the compressor ends in some turn of the loop.
    while (page.posts.length === 0) await settle();
    await settle();
    page.dispatch('pagehide');
    assert.deepEqual([core.of('outcome'), page.posts.length, page.beacons], [[], 1, []]);
    await sleep(STAYS_MS);
    assert.deepEqual(
      core.of('outcome').map(([, , ...outcome]) => outcome),
      [[0]],
    );
  });
});
