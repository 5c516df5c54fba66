/** `attune/evaluator` in Node over a compiled bundle: attributes in, changed decisions out, and why. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Evaluator, EvaluatorError } from '../../sdk-wasm/dist/evaluator.js';

const RULES = {
  experiments: [{ id: 'look', variations: [{ key: 'a' }, { key: 'b' }], sticky: true, bucket_version: 2 }],
  signals: [{ name: 'views', on: 'page_view', aggregate: 'count', window: '1h' }],
  rules: [
    {
      id: 'pro',
      slot: 'hero',
      priority: 1,
      when: { 'traits.plan': 'pro', 'traits.seats': { $gte: 5 } },
      actions: [flag('hero', 'pro')],
    },
    {
      id: 'any',
      slot: 'hero',
      when: { 'context.page.path': { $exists: true } },
      actions: [flag('hero', 'any')],
    },
    {
      id: 'half',
      slot: 'trial',
      when: { $bucket: { by: 'traits.id', seed: 'trial', in: [[0, 0.5]] } },
      actions: [flag('trial', true)],
    },
    {
      id: 'greeting',
      slot: 'greeting',
      when: { 'traits.name': { $exists: true } },
      actions: [flag('greeting', 'Hello {{traits.name}}')],
    },
    { id: 'keen', slot: 'offer', when: { 'signals.views': { $gte: 2 } }, actions: [flag('offer', 1)] },
    {
      id: 'look',
      slot: 'look',
      when: { 'context.page.path': '/look', 'experiments.look': { $exists: true } },
      actions: [],
    },
    {
      id: 'late',
      slot: 'late',
      when: { 'traits.seen_at': { $before: '-1h' } },
      actions: [flag('late', true)],
    },
  ],
};

let folder;
let bundle;

/** The rules as a bundle of a revision. */
function signed(rules, revision) {
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(rules));
  const [key, output] = [join(folder, 'signing.key'), join(folder, 'rules.bundle')];
  attune('sign', folder, '--key', key, '-o', output, '--revision', String(revision));
  return readFileSync(output);
}

function attune(...words) {
  execFileSync(process.env.ATTUNE_BINARY, ['bundle', ...words]);
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-evaluator-'));
  attune('keygen', '-o', join(folder, 'signing.key'));
  bundle = signed(RULES, 1);
});

after(() => rmSync(folder, { recursive: true }));

test('a bundle that follows keeps what is known and tells what differs', () => {
  const evaluator = new Evaluator(bundle, { visitor: 'ann' });
  const views = ['1', '2'].map((id) => ({
    ...{ event_id: `v${id}`, event_type: 'page_view', anonymous_id: 'ann' },
    timestamp: '2026-03-01T12:00:00Z',
  }));
  evaluator.absorb(JSON.stringify(views));
  evaluator.set({ traits: { plan: 'pro', seats: 5, name: 'Ann' } });
  assert.deepEqual(evaluator.decide().map(brief), ['greeting greeting', 'hero pro', 'offer keen']);
  const told = [];
  evaluator.onChange((changed) => told.push(...changed.map(brief)));
  const [pro, , , greeting, keen] = RULES.rules;
  const next = {
    ...RULES,
    rules: [
      { ...greeting, slot: 'aside' },
      { ...keen, when: { 'signals.views': { $gte: 3 } } },
      { ...pro, actions: [flag('hero', 'gold')] },
      { id: 'new', slot: 'zone', when: { 'traits.seats': { $gte: 6 } }, actions: [flag('zone', 1)] },
    ],
  };
  const following = signed(next, 2);
  const { decisions, firings } = evaluator.publish(following, Date.parse('2026-03-01T12:01:00Z'));
  assert.deepEqual([decisions.map(brief), firings], [['offer null'], []]);
  assert.deepEqual(told.sort(), ['aside greeting', 'greeting null', 'hero pro', 'offer null']);
  assert.deepEqual(evaluator.decide().map(brief), ['aside greeting', 'hero pro']);
  assert.deepEqual(evaluator.decide()[1].actions, [flag('hero', 'gold')]);
  assert.deepEqual(evaluator.variables().sort(), ['greeting', 'hero', 'offer', 'zone']);
  assert.deepEqual(evaluator.change('traits.seats', 6).map(brief), ['zone new']);
  assert.deepEqual(evaluator.absorb(JSON.stringify([{ ...views[0], event_id: 'v3' }])).decisions.map(brief), [
    'offer keen',
  ]);
  for (const [code, given, at] of [
    ['bundle_lower_revision', following, 0],
    ['bundle_invalid', 'bytes', 0],
    ['time_invalid', signed(next, 3), Number.NaN],
  ]) {
    assert.throws(
      () => evaluator.publish(given, at),
      (error) => error instanceof EvaluatorError && error.code === code,
    );
  }
  assert.deepEqual(evaluator.decide().map(brief), ['aside greeting', 'hero pro', 'offer keen', 'zone new']);
  told.length = 0;
  evaluator.publish(signed({ ...next, rules: [] }, 4));
  assert.deepEqual(evaluator.decide(), []);
  assert.deepEqual(told.sort(), ['aside null', 'hero null', 'offer null', 'zone null']);
  evaluator.free();
});

test('a delta gives the bundle that follows, and only from the bundle it starts from', () => {
  const draft = mkdtempSync(join(tmpdir(), 'attune-delta-'));
  const at = (name) => join(draft, name);
  const from = signed(RULES, 1);
  const [pro, ...others] = RULES.rules;
  const rules = [{ ...pro, actions: [flag('hero', 'gold')] }, ...others];
  writeFileSync(at('rules.json'), JSON.stringify({ ...RULES, rules }));
  writeFileSync(at('from'), from);
  attune('sign', draft, '--key', join(folder, 'signing.key'), '--parent', at('from'), '-o', at('to'));
  attune('delta', at('from'), at('to'), '-o', at('delta'));
  const [to, delta] = ['to', 'delta'].map((name) => readFileSync(at(name)));
  rmSync(draft, { recursive: true });
  assert.ok(delta.length < to.length / 2);

  const whole = Evaluator.applyDelta(from, delta);
  assert.deepEqual(Buffer.from(whole), to);
  const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(Buffer.from(Evaluator.applyDelta(from, delta, sha256(from))), to);
  const evaluator = new Evaluator(from);
  evaluator.set({ traits: { plan: 'pro', seats: 5, name: 'Ada' } });
  const told = [];
  evaluator.onChange((changed) => told.push(...changed.map(brief)));
  evaluator.publish(whole);
  assert.deepEqual(told, ['hero pro'], 'what greets says what it said');
  assert.deepEqual(evaluator.decide().find(({ slot }) => slot === 'hero').actions, [flag('hero', 'gold')]);
  assert.deepEqual(evaluator.change('traits.name', 'Zoë').map(brief), ['greeting greeting']);
  for (const [code, bundle, bytes, hash] of [
    ['bundle_wrong_parent', from, delta, sha256(to)],
    ['hash_invalid', from, delta, 'abc'],
    ['hash_invalid', from, delta, ''],
    ['hash_invalid', from, delta, 7],
    ['bundle_wrong_parent', to, delta],
    ['bundle_bad_delta', from, delta.subarray(0, -1)],
    ['bundle_bad_magic', from, to],
    ['bundle_truncated', from, new Uint8Array()],
    ['bundle_invalid', from, 'delta'],
  ]) {
    assert.throws(
      () => Evaluator.applyDelta(bundle, bytes, hash),
      (error) => error instanceof EvaluatorError && error.code === code,
    );
  }
  evaluator.free();
});

test('attributes decide, and a change names the slots that differ', () => {
  const visitor = new Evaluator(bundle);
  assert.deepEqual(visitor.decide(), []);
  const set = visitor.set({ traits: { plan: 'pro', seats: 4 }, context: { page: { path: '/' } } });
  assert.deepEqual(set.map(brief), ['hero any']);
  assert.deepEqual(visitor.change('traits.seats', 5).map(brief), ['hero pro']);
  assert.deepEqual(visitor.change('traits.seats', 6), []);
  assert.deepEqual(visitor.change('traits.unread', 'x'), []);
  assert.deepEqual(visitor.decide().map(brief), ['hero pro']);
  assert.deepEqual(visitor.change('context.page', null), []);
  assert.deepEqual(visitor.change('traits.plan', 'free').map(brief), ['hero null']);
  assert.deepEqual(visitor.change('context.page.path', '/x').map(brief), ['hero any']);
  visitor.free();
});

test('texts are filled in, and a changed value changes them', () => {
  const visitor = new Evaluator(bundle);
  const value = () => visitor.decide().find(({ slot }) => slot === 'greeting')?.actions[0].value;
  visitor.set({ traits: { name: 'Ada' } });
  assert.equal(value(), 'Hello Ada');
  visitor.change('traits.name', 'Zoë 日本');
  assert.equal(value(), 'Hello Zoë 日本');
  visitor.free();
});

test('a share of visitors is where their names fall', () => {
  const visitor = new Evaluator(bundle);
  let held = 0;
  for (let user = 0; user < 2_000; user += 1) {
    visitor.change('traits.id', `user-${user}`);
    held += visitor.decide().some(({ rule }) => rule === 'half') ? 1 : 0;
  }
  assert.ok(held > 920 && held < 1_080, `${held} of 2000`);
  visitor.free();
});

test('events of the visitor count, and time passes only as it is told', () => {
  const visitor = new Evaluator(bundle, { visitor: 'ann' });
  const view = (number) => ({
    event_id: `e${number}`,
    event_type: 'page_view',
    timestamp: `2026-11-20T10:00:0${number}Z`,
    anonymous_id: 'ann',
  });
  visitor.absorb(JSON.stringify([view(1)]));
  assert.deepEqual(visitor.decide(), []);
  visitor.absorb(JSON.stringify([view(2), { ...view(3), anonymous_id: 'bob' }]));
  assert.deepEqual(visitor.decide().map(brief), ['offer keen']);
  assert.deepEqual(visitor.change('traits.seen_at', '2026-11-20T09:30:00Z').map(brief), []);
  const late = visitor.wakeAt();
  assert.deepEqual(visitor.at(late - 1), []);
  assert.deepEqual(visitor.at(late).map(brief), ['late late']);
  const over = visitor.wakeAt();
  assert.ok(late < over && over <= Date.parse('2026-11-20T11:30:00Z'));
  assert.deepEqual(visitor.at(Date.parse('2026-11-20T11:30:00Z')).map(brief), ['offer null']);
  assert.equal(visitor.wakeAt(), null);
  visitor.free();
});

test('a rule says why it holds or not', () => {
  const visitor = new Evaluator(bundle);
  visitor.set({ traits: { plan: 'pro', seats: 2 }, context: { page: { path: '/' } } });
  assert.deepEqual(visitor.explain('pro'), {
    rule: 'pro',
    holds: false,
    reason: 'not_matched',
    unmet: [{ path: 'traits.seats', found: 2 }],
  });
  visitor.change('traits.seats', 9);
  assert.equal(visitor.explain('pro').reason, 'level');
  assert.deepEqual(visitor.explain('any'), {
    rule: 'any',
    holds: false,
    reason: 'lost_to_higher_priority',
    winner: 'pro',
  });
  visitor.free();
});

test('exposures are due once in a session, and an assignment says that it has stuck', () => {
  const visitor = new Evaluator(bundle, { visitor: 'ann', session: 'first' });
  assert.deepEqual(visitor.takeExposures(), [], 'no rule has had to read a variation');
  visitor.set({ context: { page: { path: '/look' } } });
  const [due, ...others] = visitor.takeExposures();
  assert.deepEqual(others, []);
  assert.match(due.event_id, /^[0-9a-f-]{36}$/);
  assert.equal(`${due.experiment} ${due.bucket_version}`, 'look 2');
  assert.deepEqual(visitor.takeExposures(), []);
  assert.equal(visitor.explain('look').experiments[0].origin, 'hashed');

  const other = due.variation === 'a' ? 'b' : 'a';
  const { event_id, ...metadata } = { ...due, variation: other };
  const exposure = { event_id, event_type: 'attune.exposure', anonymous_id: 'ann', session_id: 'old' };
  visitor.absorb(JSON.stringify([{ ...exposure, timestamp: '2026-11-20T10:00:00Z', metadata }]));
  assert.deepEqual(visitor.explain('look').experiments, [
    { experiment: 'look', variation: other, origin: 'sticky' },
  ]);
  assert.deepEqual(
    visitor.takeExposures().map(({ variation }) => variation),
    [other],
  );
  assert.deepEqual(visitor.session('second'), []);
  assert.equal(visitor.takeExposures().length, 1);
  assert.throws(
    () => visitor.session('x'.repeat(101)),
    (error) => error instanceof EvaluatorError && error.code === 'session_invalid',
  );
  visitor.free();
});

test('rules whose purpose the visitor does not grant leave their slots', () => {
  const visitor = new Evaluator(bundle);
  visitor.set({ traits: { plan: 'pro', seats: 5 }, context: { page: { path: '/' } } });
  assert.deepEqual(visitor.setConsent({ analytics: 'denied' }), []);
  assert.deepEqual(visitor.setConsent({ personalization: 'unknown' }).map(brief), ['hero null']);
  assert.deepEqual(visitor.explain('pro'), {
    rule: 'pro',
    holds: false,
    reason: 'consent_missing',
    purpose: 'personalization',
  });
  assert.deepEqual(visitor.decide(), []);
  assert.deepEqual(visitor.setConsent({ personalization: 'granted' }).map(brief), ['hero pro']);
  const refused = (error) => error instanceof EvaluatorError && error.code === 'consent_invalid';
  for (const said of [null, { ads: 'granted' }, { analytics: 'yes' }]) {
    assert.throws(() => visitor.setConsent(said), refused);
  }
  visitor.free();
});

test('what is no path and no rule is refused with its code', () => {
  const visitor = new Evaluator(bundle);
  const refused = (code) => (error) => error instanceof EvaluatorError && error.code === code;
  assert.throws(() => visitor.change('signals.views', 1), refused('path_unknown'));
  assert.throws(() => visitor.change('traits', {}), refused('path_unknown'));
  assert.throws(() => visitor.explain('nobody'), refused('rule_unknown'));
  visitor.free();
  assert.throws(() => visitor.set({}), refused('handle_unknown'));
});

test('a mistake is named, and changes nothing', () => {
  const visitor = new Evaluator(bundle, { visitor: 'ann', session: 'first' });
  visitor.set({ traits: { plan: 'pro', seats: 5, name: 'Ada' } });
  const before = visitor.decide();
  const heard = [];
  visitor.onChange((changed) => heard.push(changed));
  for (const [code, names, ask] of [
    ['attributes_invalid', 'plan', () => visitor.set({ plan: 'x' })],
    ['attributes_invalid', '"trait"', () => visitor.set({ trait: { plan: 'x' } })],
    ['attributes_invalid', 'traits: expected an object, not string', () => visitor.set({ traits: 'pro' })],
    ['attributes_invalid', 'traits: expected an object, not null', () => visitor.set({ traits: null })],
    ['attributes_invalid', 'context: expected an object, not an array', () => visitor.set({ context: [] })],
    ['attributes_invalid', 'not null', () => visitor.set(null)],
    ['attributes_invalid', 'not undefined', () => visitor.set()],
    ['attributes_invalid', 'not an array', () => visitor.set([1])],
    ['attributes_invalid', 'not string', () => visitor.set('{"traits":{}}')],
    ['attributes_invalid', 'traits.of.self: it contains itself', () => visitor.set({ traits: circular() })],
    ['attributes_invalid', 'context.a.1: it contains', () => visitor.set({ context: { a: loop() } })],
    ['attributes_invalid', 'a.a: nested deeper than 32 levels', () => visitor.set({ traits: nested(32) })],
    ['attributes_invalid', 'traits.n: expected a value', () => visitor.set({ traits: { n: 1n } })],
    ['value_invalid', 'traits.x.of.self: it contains itself', () => visitor.change('traits.x', circular())],
    ['value_invalid', 'nested deeper than 32 levels', () => visitor.change('traits.x', nested(33))],
    ['value_invalid', 'traits.x: expected a value of JSON, not bigint', () => visitor.change('traits.x', 1n)],
    ['path_unknown', '"trait.plan"', () => visitor.change('trait.plan', 1)],
    ['path_unknown', 'did you mean traits.plan?', () => visitor.change('plan', 1)],
    ['rule_unknown', '"pros"; did you mean pro?', () => visitor.explain('pros')],
    ['rule_unknown', '"nobody"; its rules are any, greeting', () => visitor.explain('nobody')],
    ['session_invalid', 'not 101', () => visitor.session('s'.repeat(101))],
    ['events_invalid', 'JSON.stringify', () => visitor.absorb([])],
    ['events_invalid', 'JSON.stringify', () => visitor.absorb()],
    ['time_invalid', 'not string', () => visitor.at('2026-11-20T10:00:00Z')],
    ['time_invalid', 'not NaN', () => visitor.at(Number.NaN)],
    ['time_invalid', 'not object', () => visitor.at(new Date())],
    ['session_invalid', 'session', () => visitor.session(7)],
    ['callback_invalid', 'function', () => visitor.onChange()],
    ['path_unknown', 'path', () => visitor.change(undefined, 1)],
    ['rule_unknown', 'rule', () => visitor.explain()],
    ['anonymous_id_invalid', 'anonymousId', () => visitor.identify(undefined)],
    ['anonymous_id_invalid', 'visitor', () => visitor.identify('')],
    ['anonymous_id_invalid', 'anonymousId', () => visitor.decisions()],
  ]) {
    assert.throws(ask, (error) => refused(error, code, names), `${code}: ${names}`);
    assert.deepEqual(visitor.decide(), before);
  }
  assert.deepEqual([heard, visitor.visitor], [[], 'ann']);
  assert.equal(visitor.set({ traits: undefined, context: {} }).length, 2);
  visitor.free();
});

test('values as deep as can be read, and ones that stand in two places, are taken', () => {
  const visitor = new Evaluator(bundle);
  const shared = { plan: 'pro' };
  visitor.set({ traits: { ...shared, seats: 5, a: shared, b: [shared, shared], deep: nested(30) } });
  assert.deepEqual(visitor.decide().map(brief), ['hero pro']);
  visitor.change('traits.deep', nested(31));
  visitor.free();
});

test('an evaluator is made of bytes and of options that there are', () => {
  for (const [code, names, bytes, options] of [
    ['bundle_invalid', 'not undefined', undefined],
    ['bundle_invalid', 'not string', 'rules.bundle'],
    ['bundle_invalid', 'not an array', [...bundle]],
    ['bundle_invalid', 'Uint8Array', new Float64Array(9)],
    ['option_unknown', 'known are visitor, session', bundle, { visitorId: 'ann' }],
    ['option_invalid', 'not null', bundle, null],
    ['option_invalid', 'visitor', bundle, { visitor: 7 }],
    ['session_invalid', 'session', bundle, { session: 7 }],
    ['bundle_truncated', 'ends early', bundle.subarray(0, bundle.length - 1)],
  ]) {
    assert.throws(
      () => new Evaluator(bytes, options),
      (error) => refused(error, code, names),
      names,
    );
  }
});

test('after free every call says so', () => {
  const visitor = new Evaluator(bundle);
  visitor.set({ traits: { plan: 'pro', seats: 5 } });
  visitor.variables();
  visitor.change('traits.seats', 6);
  visitor.free();
  for (const ask of [
    () => visitor.set({}),
    () => visitor.change('traits.seats', 7),
    () => visitor.change('traits.plan', 'x'),
    () => visitor.at(1),
    () => visitor.wakeAt(),
    () => visitor.identify('ann'),
    () => visitor.session('s'),
    () => visitor.setConsent({ analytics: 'denied' }),
    () => visitor.takeExposures(),
    () => visitor.onChange(() => {}),
    () => visitor.variables(),
    () => visitor.decide(),
    () => visitor.explain('pro'),
    () => visitor.absorb('[]'),
    () => visitor.decisions('ann'),
    () => visitor.summary(),
  ]) {
    assert.throws(ask, (error) => refused(error, 'handle_unknown', 'freed'), `${ask}`);
  }
  visitor.free();
});

function refused(error, code, names) {
  assert.ok(error instanceof EvaluatorError, `${error}`);
  assert.equal(error.code, code);
  assert.ok(error.message.includes(names), `${error.message} does not name ${names}`);
  return true;
}

function flag(name, value) {
  return { kind: 'variable', name, value };
}

/** An object in which another one contains itself. */
function circular() {
  const of = {};
  of.self = of;
  return { of };
}

/** A list that contains itself. */
function loop() {
  const list = [0];
  list.push(list);
  return list;
}

/** Objects within each other. */
function nested(levels) {
  return levels === 0 ? 1 : { a: nested(levels - 1) };
}

function brief({ slot, rule }) {
  return `${slot} ${rule}`;
}
