/** Shops that use the npm package by a bundler, each built from the packed package and opened in Chromium. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector } from '../e2e/rig/collector.mjs';
import { openGate } from '../e2e/rig/gate.mjs';
import { thirdViewRules } from '../e2e/rig/rules.mjs';
import { openConsumer, programOf } from './rig/consumer.mjs';
import { serveFolder } from './rig/static.mjs';
import { delivered, eventsOf, openWatched, PICKED, picked } from './rig/visit.mjs';

/** By consumer: the program that builds it, its words, where the site is then, and how the WebAssembly is called there. */
const BUNDLERS = {
  vite: [programOf('vite', 'bin/vite.js'), ['build'], 'dist', /^\/assets\/attune_(first|rest)-[\w-]+\.wasm$/],
  webpack: ['build.js', [], '.', /^\/dist\/[0-9a-f]+\.wasm$/],
  rollup: [
    programOf('rollup', 'dist/bin/rollup'),
    ['-c', '--silent'],
    '.',
    /^\/dist\/attune_(first|rest)\.wasm$/,
  ],
  esbuild: ['build.js', [], '.', /^\/dist\/attune_(first|rest)\.wasm$/],
};

describe('a shop built by a bundler', () => {
  let browser;
  let collector;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(thirdViewRules(PICKED));
  });
  after(async () => {
    await browser?.close();
    await collector?.remove();
  });

  for (const [name, [program, words, site, wasm]] of Object.entries(BUNDLERS)) {
    it(`delivers and decides when ${name} has built it`, async (test) => {
      const consumer = await openConsumer(name);
      test.after(() => consumer.remove());
      await consumer.node(program, words);
      const gate = await openGate(collector.url);
      const shop = await serveFolder(join(consumer.folder, site));
      const context = await browser.newContext();
      test.after(async () => {
        await context.close();
        await shop.close();
        await gate.close();
      });
      const { page, complaints } = await openWatched(context, `${shop.url}/?collector=${gate.url}`);
      await picked(page, complaints);
      await delivered(gate, 'product_view', 3);
      assert.deepEqual(complaints, []);
      // Two files of the core; webpack's names say nothing of the filter's.
      assert.ok(
        shop.asked.filter((path) => wasm.test(path)).length >= 2,
        `${wasm} is not twice in ${shop.asked.join(' ')}`,
      );
      // The filter has been found as well, and has judged.
      assert.ok(!eventsOf(gate).some(({ event_type }) => event_type.startsWith('debug')));
    });
  }

  it("delivers and decides on Vite's development server, which builds packages ahead", async (test) => {
    const consumer = await openConsumer('vite');
    const { createServer } = await import('vite');
    const server = await createServer({ root: consumer.folder, server: { host: '127.0.0.1', port: 0 } });
    await server.listen();
    const gate = await openGate(collector.url);
    const context = await browser.newContext();
    test.after(async () => {
      await context.close();
      await gate.close();
      await server.close();
      consumer.remove();
    });
    const { port } = server.httpServer.address();
    const url = `http://127.0.0.1:${port}/?collector=${gate.url}`;
    const { page, complaints } = await openWatched(context, url);
    await picked(page, complaints);
    await delivered(gate, 'product_view', 3);
    assert.ok(!eventsOf(gate).some(({ event_type }) => event_type.startsWith('debug')));
    assert.deepEqual(complaints, []);
  });
});
