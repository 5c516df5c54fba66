/** An experiment that sticks: a visitor keeps a variation whatever is published, and a server exposes the same one. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Evaluator } from '../../sdk-wasm/dist/evaluator.js';
import { headline, openBrowser, openPage } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

/** The rules, with the weights of the variations and how the experiment is kept. */
function rules(a, b, kept) {
  const variations = [
    { key: 'a', weight: a },
    { key: 'b', weight: b },
  ];
  const rule = (key) => ({
    id: key,
    slot: 'headline',
    when: { 'experiments.hero-日本': key },
    actions: [{ kind: 'text', target: '#headline', value: `Variation ${key}` }],
  });
  return { experiments: [{ id: 'hero-日本', variations, ...kept }], rules: [rule('a'), rule('b')] };
}

describe('an experiment', () => {
  let browser;
  let collector;
  let site;
  before(async () => {
    browser = await openBrowser();
    collector = await Collector.start(rules(1, 0, { sticky: true }));
    site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await collector.remove();
  });

  /** The bundle in effect. */
  async function bundle() {
    const answer = await fetch(`${collector.url}/v1/bundle?k=${WRITE_KEY}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Publishes rules, and waits until they are in effect. */
  async function publish(next) {
    const before = await bundle();
    collector.writeRules(next);
    await eventually(async () => !before.equals(await bundle()));
  }

  /** A page of a visitor of its own, and the events that it sends. */
  async function visitor() {
    const context = await browser.newContext();
    const sent = [];
    context.on('request', (request) => {
      const body = request.postDataBuffer();
      if (body && request.url().includes('/v1/events')) sent.push(...eventsOf(body));
    });
    return { page: await openPage(context, site.url), sent, close: () => context.close() };
  }

  it('keeps its variation over a reload after other weights are published', async () => {
    const first = await visitor();
    await headline(first.page, 'Variation a');
    await publish(rules(0, 1, { sticky: true }));
    const second = await visitor();
    await headline(second.page, 'Variation b');
    await second.close();
    await first.page.reload();
    await headline(first.page, 'Variation a');
    await publish(rules(0, 1, { sticky: true, bucket_version: 1 }));
    await headline(first.page, 'Variation b');
    await first.close();
  });

  it('moves its visitors where it does not stick', async () => {
    await publish(rules(1, 0, {}));
    const { page, close } = await visitor();
    await headline(page, 'Variation a');
    await publish(rules(0, 1, {}));
    await headline(page, 'Variation b');
    await close();
  });

  it('is exposed by a server under the id that the page gives it', async () => {
    await publish(rules(0.5, 0.5, { sticky: true, bucket_version: 7 }));
    const { page, sent, close } = await visitor();
    const isExposure = ({ event_type, metadata }) =>
      event_type === 'attune.exposure' && metadata.bucket_version === 7;
    const found = await eventually(() => sent.find(isExposure));
    const options = { visitor: found.anonymous_id, session: found.session_id };
    const evaluator = new Evaluator(await bundle(), options);
    const [{ event_id, ...metadata }] = evaluator.takeExposures();
    assert.deepEqual({ event_id, metadata }, { event_id: found.event_id, metadata: found.metadata });
    await headline(page, `Variation ${metadata.variation}`);
    evaluator.free();
    await close();
  });
});

/** The events of a batch, each with its `anonymous_id`. */
function eventsOf(body) {
  const isPacked = body[0] === 0x1f && body[1] === 0x8b;
  const { anonymous_id, events } = JSON.parse(String(isPacked ? gunzipSync(body) : body));
  return events.map((event) => ({ anonymous_id, ...event }));
}

/** Asks again until there is an answer, for 15 s. */
async function eventually(ask) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error('no answer after 15 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
