/** A shop in Next, whose server decides by the bundle before the page does, built from the packed package. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from '../e2e/rig/browser.mjs';
import { Collector } from '../e2e/rig/collector.mjs';
import { eventually } from '../e2e/rig/eventually.mjs';
import { openGate } from '../e2e/rig/gate.mjs';
import { freePorts } from '../e2e/rig/ports.mjs';
import { openConsumer, programOf } from './rig/consumer.mjs';
import { variableRules } from './rig/rules.mjs';
import { delivered, openWatched, picked } from './rig/visit.mjs';

const NEXT = programOf('next', 'dist/bin/next');
/** Nothing of these tests is anybody's business. */
const QUIET = { NEXT_TELEMETRY_DISABLED: '1' };

describe('a shop in Next', () => {
  let browser;
  let collector;
  let consumer;
  let gate;
  let server;
  let url;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(shippingRules());
    consumer = await openConsumer('next');
    await consumer.node(NEXT, ['build'], QUIET);
    gate = await openGate(collector.url);
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, ...QUIET, COLLECTOR: gate.url };
    const words = [NEXT, 'start', '--hostname', '127.0.0.1', '--port', String(port)];
    server = spawn(process.execPath, words, { cwd: consumer.folder, env, stdio: 'ignore' });
    await eventually(
      () =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ),
      (isUp) => isUp,
    );
  });
  after(async () => {
    await browser?.close();
    if (server && server.exitCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    }
    await gate?.close();
    await collector?.remove();
    consumer?.remove();
  });

  it('renders what its server has decided', async () => {
    const text = await (await fetch(url)).text();
    assert.match(text, /Free shipping from 0/);
    assert.match(text, />Welcome</);
  });

  it('is taken over without a mismatch, delivers and decides', async () => {
    gate.posted.length = 0;
    const context = await browser.newContext();
    const { page, complaints } = await openWatched(context, url);
    await page.waitForSelector('html[data-attune=started]');
    for (let view = 0; view < 3; view += 1) await page.click('#view');
    await picked(page, complaints);
    assert.equal(await page.textContent('#shipping'), 'Free shipping from 0');
    await delivered(gate, 'product_view', 3);
    await delivered(gate, 'page_view', 1);
    assert.deepEqual(complaints, []);
    await context.close();
  });
});

/** The rules of the other React pages, and one that a server can judge. */
function shippingRules() {
  const { signals, rules } = variableRules();
  const shipping = {
    id: 'home-shipping',
    slot: 'shipping',
    when: { 'context.page.path': '/' },
    actions: [{ kind: 'variable', name: 'free_shipping_from', value: 0 }],
  };
  return { signals, rules: [...rules, shipping] };
}
