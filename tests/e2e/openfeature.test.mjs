/** `attune/openfeature` over a compiled bundle, with the real web SDK of OpenFeature, in Node. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { OpenFeature, ProviderEvents, ProviderStatus } from '@openfeature/web-sdk';
import { Evaluator } from '../../sdk-wasm/dist/evaluator.js';
import { evaluatorProvider } from '../../sdk-wasm/dist/openfeature.js';

const RULES = {
  experiments: [{ id: 'look', variations: [{ key: 'a' }, { key: 'b' }] }],
  signals: [{ name: 'views', on: 'page_view', aggregate: 'count', window: '1h' }],
  rules: [
    rule('pro', 'hero', 1, { 'traits.plan': 'pro' }, { title: 'Pro', large: true }),
    rule('known', 'hero', 0, { 'traits.id': { $exists: true } }, { title: 'Hello', large: true }),
    rule('ann', 'note', 0, { 'traits.id': 'ann' }, { note: { to: ['{{traits.name}}'] } }),
    rule('first', 'offer', 0, { 'context.page.path': '/' }, { offer: 5 }),
    rule('keen', 'extra', 0, { 'signals.views': { $gte: 2 } }, { extra: 'keen' }),
    rule('since', 'since', 0, { 'traits.since': { $before: '2020-01-01T00:00:00Z' } }, { old: true }),
    rule('a', 'look', 0, { 'experiments.look': 'a', 'traits.tests': true }, { look: 'a' }),
    rule('b', 'look', 0, { 'experiments.look': 'b', 'traits.tests': true }, { look: 'b' }),
  ],
};

let folder;
let bundle;
let evaluator;
let client;
let changes;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-openfeature-'));
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(RULES));
  const output = join(folder, 'rules.bundle');
  execFileSync(process.env.ATTUNE_BINARY, ['bundle', 'compile', folder, '-o', output]);
  bundle = readFileSync(output);
});
after(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  evaluator = new Evaluator(bundle, { visitor: 'here' });
  client = OpenFeature.getClient();
  changes = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, heard);
});
afterEach(async () => {
  client.removeHandler(ProviderEvents.ConfigurationChanged, heard);
  await OpenFeature.clearProviders();
  await OpenFeature.clearContext();
  evaluator.free();
});

test('the context is the visitor, and a change names the flags with another value', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator), { targetingKey: 'ann' });
  assert.equal(client.providerStatus, ProviderStatus.READY);
  assert.deepEqual(client.getStringDetails('title', ''), {
    flagKey: 'title',
    value: 'Hello',
    variant: 'known',
    reason: 'TARGETING_MATCH',
    flagMetadata: { slot: 'hero', reason: 'level' },
  });
  assert.deepEqual(changes, []);
  await OpenFeature.setContext({ targetingKey: 'ann', plan: 'pro' });
  assert.deepEqual(changes.splice(0), [['title']]);
  assert.equal(client.getStringDetails('title', '').variant, 'pro');
  await OpenFeature.setContext({ targetingKey: 'bob', plan: 'pro' });
  assert.deepEqual(changes.splice(0), [['note']]);
  await OpenFeature.setContext({ plan: 'free' });
  assert.deepEqual(
    changes.map((flags) => flags.sort()),
    [['large', 'title']],
  );
});

test('a context that only passes through other values changes nothing', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator), { targetingKey: 'ann', plan: 'pro' });
  await OpenFeature.setContext({ plan: 'pro', targetingKey: 'ann', unread: [1] });
  assert.deepEqual(changes, []);
});

test('dates are texts', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator), { since: new Date('2019-05-05') });
  assert.equal(client.getBooleanValue('old', false), true);
});

test('each targeting key has a variation of its own, the same one every time', async () => {
  evaluator.setConsent({ analytics: 'denied' });
  evaluator.change('context.page.path', '/');
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator));
  const keys = Array.from({ length: 12 }, (_, number) => `user-${number}`);
  const look = async (targetingKey) => {
    await OpenFeature.setContext({ targetingKey, tests: true });
    assert.equal(evaluator.visitor, targetingKey);
    return client.getStringValue('look', 'none');
  };
  const met = [];
  for (const key of keys) met.push(await look(key));
  assert.deepEqual([...new Set(met)].sort(), ['a', 'b']);
  const switched = met.filter((variation, at) => variation !== met[at - 1]).length;
  assert.equal(changes.splice(0).filter((flags) => flags.includes('look')).length, switched);
  for (const [at, key] of keys.entries()) assert.equal(await look(key), met[at], key);
  for (const [at, key] of keys.entries()) {
    const page = new Evaluator(bundle, { visitor: key });
    page.set({ traits: { tests: true } });
    assert.deepEqual(
      page.decide().map(({ rule }) => rule),
      [met[at]],
      key,
    );
    page.free();
  }
  assert.equal(client.getNumberValue('offer', 0), 5, 'what the caller has said stays');
  await OpenFeature.setContext({ tests: true });
  assert.equal(evaluator.visitor, 'here');
});

test('what the caller changes and what events say reaches the flags as well', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator, { flags: { discount: 'offer' } }));
  evaluator.change('context.page.path', '/');
  await OpenFeature.setContext({ targetingKey: 'ann' });
  assert.deepEqual([client.getNumberValue('discount', 0), client.getNumberValue('offer', 0)], [5, 5]);
  const view = (id) => ({
    event_id: id,
    event_type: 'page_view',
    timestamp: '2026-11-20T10:00:00Z',
    anonymous_id: 'ann',
  });
  evaluator.absorb(JSON.stringify([view('a')]));
  evaluator.absorb(JSON.stringify([view('b')]));
  assert.deepEqual(
    changes.map((flags) => flags.sort().join(' ')),
    ['discount offer', 'large note title', 'extra'],
  );
});

test('a flag of the bundle is known before a rule gives it, whatever its rule', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator));
  const brief = ({ value, reason, errorCode }) => [value, reason, errorCode];
  for (const flag of ['title', 'note', 'offer', 'extra']) {
    assert.deepEqual(brief(client.getObjectDetails(flag, [])), [[], 'DEFAULT', undefined], flag);
  }
  assert.deepEqual(brief(client.getNumberDetails('nobody', 1)), [1, 'ERROR', 'FLAG_NOT_FOUND']);
  await OpenFeature.setContext({ targetingKey: 'ann', name: 'Ann' });
  assert.deepEqual(brief(client.getNumberDetails('title', 1)), [1, 'ERROR', 'TYPE_MISMATCH']);
  assert.equal(client.getObjectDetails('note', {}).reason, 'TARGETING_MATCH');
});

test('an attribute that cannot be taken in is an error, and its neighbours are taken in', async () => {
  await OpenFeature.setProviderAndWait(evaluatorProvider(evaluator));
  const errors = [];
  client.addHandler(ProviderEvents.Error, ({ message }) => errors.push(message));
  await OpenFeature.setContext({ '': 1, plan: 'pro' });
  assert.equal(client.providerStatus, ProviderStatus.ERROR);
  assert.match(errors[0], /expected a path below traits or context/);
  assert.equal(client.getStringValue('title', ''), 'Pro');
  await OpenFeature.setContext({ plan: 'pro' });
});

function rule(id, slot, priority, when, variables) {
  const actions = Object.entries(variables).map(([name, value]) => ({ kind: 'variable', name, value }));
  return { id, slot, priority, when, actions };
}

function heard({ flagsChanged }) {
  changes.push([...flagsChanged]);
}
