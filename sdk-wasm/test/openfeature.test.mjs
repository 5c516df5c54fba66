/** `attune/openfeature` over the page: the real web SDK of OpenFeature beside a stand-in for the core. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { OpenFeature, ProviderEvents, ProviderStatus } from '@openfeature/web-sdk';
import { pageProvider } from '../dist/openfeature.js';
import { decision } from './core.mjs';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

/** The kind of an action that gives a variable. */
const VARIABLE = 6;

describe('attune/openfeature over the page', () => {
  let page;
  let attune;
  let client;
  let changes;

  beforeEach(async () => {
    page = openPage();
    attune = (await load('index.ts')).init({ writeKey: 'demo', collector: '/' });
    client = OpenFeature.getClient();
    changes = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, heard);
  });
  afterEach(async () => {
    client.removeHandler(ProviderEvents.ConfigurationChanged, heard);
    await OpenFeature.clearProviders();
    await OpenFeature.clearContext();
    await attune.shutdown();
    closePage();
  });

  const heard = ({ flagsChanged }) => changes.push(flagsChanged);
  /** Makes the core say something at the next event. */
  const say = (...effects) => {
    page.core.next('track', ...effects);
    attune.track('anything');
  };
  const start = async (options) => {
    const set = OpenFeature.setProviderAndWait(pageProvider(attune, options));
    await page.load();
    await set;
  };

  it('is ready when decisions are, and gives the default before', async () => {
    const ready = [];
    client.addHandler(ProviderEvents.Ready, () => ready.push(client.getStringValue('title', 'none')));
    const set = OpenFeature.setProviderAndWait(pageProvider(attune));
    assert.equal(client.getStringDetails('title', 'none').errorCode, 'PROVIDER_NOT_READY');
    await settle();
    assert.deepEqual(ready, []);
    await page.load();
    await set;
    assert.equal(client.providerStatus, ProviderStatus.READY);
    assert.deepEqual(ready, ['none']);
  });

  it('gives variables with the rule and slot they come from', async () => {
    await start();
    say(
      decision('hero', { rule: 'pro', reason: 1, actions: [variable('title', 'Hello'), variable('n', 0)] }),
    );
    assert.deepEqual(client.getStringDetails('title', ''), {
      flagKey: 'title',
      value: 'Hello',
      variant: 'pro',
      reason: 'TARGETING_MATCH',
      flagMetadata: { slot: 'hero', reason: 'latched' },
    });
    assert.equal(client.getNumberValue('n', 7), 0);
  });

  it('names the flags whose value has changed, and no others', async () => {
    await start({ flags: { headline: 'title' } });
    say(decision('hero', { rule: 'a', actions: [variable('title', 'A'), variable('on', true)] }));
    say(decision('hero', { rule: 'b', actions: [variable('title', 'B'), variable('on', true)] }));
    say(decision('hero', { rule: 'c', actions: [variable('title', 'B'), variable('on', true)] }));
    say(
      decision('zone', { rule: 'd', actions: [variable('on', false), variable('list', { a: [1, null] })] }),
    );
    say(decision('zone', { rule: 'e', actions: [variable('list', { a: [1, null] })] }));
    say(decision('hero', undefined));
    const sorted = changes.map((flags) => [...flags].sort());
    assert.deepEqual(sorted, [
      ['headline', 'on', 'title'],
      ['headline', 'title'],
      ['list'],
      ['headline', 'on', 'title'],
    ]);
  });

  it('tells handlers when the new value is there', async () => {
    await start();
    const values = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, () => values.push(client.getNumberValue('n', 0)));
    for (const n of [1, 2]) say(decision('hero', { rule: 'a', actions: [variable('n', n)] }));
    assert.deepEqual(values, [1, 2]);
  });

  it('gives the default for what no rule gives, what is of another type, and what nobody knows', async () => {
    await start({ flags: { listed: 'nothing' } });
    say(decision('hero', { rule: 'a', actions: [variable('title', 'A'), variable('none', null)] }));
    const brief = ({ value, reason, errorCode }) => [value, reason, errorCode];
    const mismatch = [1, 'ERROR', 'TYPE_MISMATCH'];
    assert.deepEqual(brief(client.getNumberDetails('title', 1)), mismatch);
    assert.deepEqual(brief(client.getNumberDetails('none', 1)), mismatch);
    assert.deepEqual(brief(client.getBooleanDetails('listed', true)), [true, 'DEFAULT', undefined]);
    assert.deepEqual(brief(client.getBooleanDetails('nobody', true)), [true, 'ERROR', 'FLAG_NOT_FOUND']);
    say(decision('hero', undefined));
    assert.deepEqual(brief(client.getStringDetails('title', 'x')), ['x', 'DEFAULT', undefined]);
  });

  it('identifies the targeting key with the attributes as traits, once, and resets without one', async () => {
    await OpenFeature.setContext({ targetingKey: 'ann', plan: 'pro', since: new Date(0) });
    await start();
    await OpenFeature.setContext({ targetingKey: 'ann', plan: 'pro', since: new Date(0) });
    await OpenFeature.setContext({ targetingKey: 'ann', seats: 2, since: new Date(0) });
    await OpenFeature.setContext({ targetingKey: 'bob' });
    await OpenFeature.setContext({ plan: 'free' });
    await OpenFeature.setContext({});
    const traits = page.core
      .of('track')
      .filter(([, , type]) => type === 'attune.identify')
      .map((call) => call[7][1].traits);
    assert.deepEqual(traits, [
      { plan: 'pro', since: '1970-01-01T00:00:00.000Z', id: 'ann' },
      { plan: null, seats: 2 },
      { id: 'bob' },
    ]);
    assert.deepEqual(
      page.core.of('identify').map(([, user]) => user),
      ['ann', 'ann', 'bob'],
    );
    assert.equal(page.core.of('reset').length, 1);
  });

  it('fails for good where the WebAssembly does, and after shutdown', async () => {
    await attune.shutdown();
    globalThis.fetch = async () => new Response('', { status: 404 });
    attune = (await load('index.ts')).init({ writeKey: 'demo', collector: '/' });
    const failed = [];
    client.addHandler(ProviderEvents.Error, ({ message }) => failed.push(message));
    await assert.rejects(OpenFeature.setProviderAndWait(pageProvider(attune)), /status 404/);
    assert.equal(client.providerStatus, ProviderStatus.FATAL);
    assert.match(failed[0], /status 404/);
    assert.equal(client.getBooleanDetails('x', true).errorCode, 'PROVIDER_FATAL');
  });

  it('says that Attune has been shut down', async () => {
    await start();
    say(decision('hero', { rule: 'a', actions: [variable('title', 'A')] }));
    await attune.shutdown();
    const { value, errorCode } = client.getStringDetails('title', 'x');
    assert.deepEqual([value, errorCode], ['x', 'PROVIDER_FATAL']);
  });

  it('records what is tracked, and falls silent when another provider takes its place', async () => {
    await start();
    client.track('bought', { value: 3, sku: 'hat' });
    assert.deepEqual(page.core.of('track').at(-1)[7][1], { value: 3, sku: 'hat' });
    const provider = OpenFeature.getProvider();
    await OpenFeature.clearProviders();
    const late = [];
    provider.events.addHandler(ProviderEvents.ConfigurationChanged, (event) => late.push(event));
    say(decision('hero', { rule: 'a', actions: [variable('title', 'A')] }));
    assert.deepEqual(late, []);
  });

  it('brings nothing of the web SDK with it', () => {
    const file = new URL('../dist/openfeature.js', import.meta.url);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\bimport\b|openfeature/);
  });

  it('outlives a handler that throws', async () => {
    const errors = [];
    const provider = pageProvider(attune);
    provider.events.setLogger({ error: (...words) => errors.push(words) });
    const set = OpenFeature.setProviderAndWait(provider);
    await page.load();
    await set;
    const reached = [];
    provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => {
      throw new Error('the handler');
    });
    provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => reached.push(1));
    say(decision('hero', { rule: 'a', actions: [variable('title', 'A')] }));
    await settle();
    assert.deepEqual([reached.length, client.getStringValue('title', '')], [1, 'A']);
  });
});

/** An action that gives a variable, as the stand-in writes it. */
function variable(name, value) {
  return [VARIABLE, 'tv', name, value];
}
