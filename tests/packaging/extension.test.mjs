/** A browser extension of manifest version 3 with `attune/inline`, loaded unpacked in Chromium. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { openExtended } from '../e2e/rig/browser.mjs';
import { Collector } from '../e2e/rig/collector.mjs';
import { openGate } from '../e2e/rig/gate.mjs';
import { thirdViewRules } from '../e2e/rig/rules.mjs';
import { openConsumer } from './rig/consumer.mjs';
import { serveFolder } from './rig/static.mjs';
import { delivered, eventsOf, openWatched, PICKED, picked } from './rig/visit.mjs';

describe('a browser extension', () => {
  let consumer;
  let context;
  let collector;
  let gate;
  let asked;
  before(async () => {
    collector = await Collector.start(thirdViewRules(PICKED));
    consumer = await openConsumer('extension');
    await consumer.node('build.js');
    context = await openExtended(join(consumer.folder, '../profile'), consumer.folder);
  });
  after(async () => {
    await context?.close();
    await collector?.remove();
    consumer?.remove();
  });
  // A gate for each test: what a page says when it is closed belongs to none.
  beforeEach(async () => {
    gate = await openGate(collector.url);
    asked = [];
    context.removeAllListeners('request');
    context.on('request', (request) => asked.push(request.url()));
  });
  afterEach(() => gate.close());

  async function works(url, where) {
    const trust = encodeURIComponent(await collector.trust());
    const { page, complaints } = await openWatched(context, `${url}?collector=${gate.url}&trust=${trust}`);
    await picked(page, complaints);
    await delivered(gate, 'product_view', 3);
    const events = eventsOf(gate);
    assert.ok(
      events
        .filter(({ event_type }) => event_type === 'product_view')
        .every(({ metadata }) => metadata.where === where),
    );
    assert.ok(!events.some(({ event_type }) => event_type.startsWith('debug')));
    assert.deepEqual(
      asked.filter((address) => address.includes('.wasm')),
      [],
    );
    // The chain of trust has been followed.
    assert.ok(gate.asked.includes('/v1/bundle/keys'));
    assert.deepEqual(complaints, []);
    await page.close();
  }

  it('delivers and decides on a page of its own, and asks for no WebAssembly file', async () => {
    await works(`chrome-extension://${idOf(consumer.folder)}/panel.html`, 'panel');
  });

  it('delivers and decides by its content script on a page of somebody else', async (test) => {
    const site = await somebodyElses({});
    test.after(() => site.close());
    await works(`${site.url}/shop`, 'content');
  });

  it('delivers without deciding where the policy of that page allows no WebAssembly, which Chromium holds against content scripts', async (test) => {
    const site = await somebodyElses({ 'content-security-policy': "script-src 'self'" });
    test.after(() => site.close());
    const { page, complaints } = await openWatched(context, `${site.url}/shop?collector=${gate.url}`);
    await delivered(gate, 'product_view', 3);
    assert.match(complaints.join(), /^wasm_unavailable/);
    assert.equal(await page.textContent('#headline'), 'Welcome');
    await page.close();
  });

  function somebodyElses(headers) {
    const text = '<!doctype html><html lang="en"><title>Shop</title><h1 id="headline">Welcome</h1></html>';
    return serveFolder(consumer.folder, { pages: { '/shop': text }, headers });
  }
});

/** The id that Chromium gives an unpacked extension: a hash of where it is, in the letters from a to p. */
function idOf(folder) {
  const digits = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32);
  return Array.from(digits, (digit) => 'abcdefghijklmnop'[Number.parseInt(digit, 16)]).join('');
}
