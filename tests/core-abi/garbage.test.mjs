/** A host that passes garbage gets errors, and the same instance goes on answering. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, missing } from './bundle.mjs';
import { Core, judgedCases, judgement, plainCases, vectors } from './core.mjs';
import { Processor } from './processor.mjs';

const CALLS = 20_000;
const NUMBERS = [Number.NaN, Infinity, -Infinity, 0, -1, 0.5, 1, 2, 7, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 1e300];
const TEXTS = [
  '',
  '[',
  '{}',
  '[]',
  'null',
  '[{}]',
  '[[{},{}]]',
  '{"traits":1}',
  'traits.a',
  '[[[[[[[[[[[[[[[[[[',
];
const BIG = 64 * 1024 * 1024;

/** Numbers that are the same at every run. Source: Marsaglia, "Xorshift RNGs", 2003. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function assertSound(core) {
  const cases = plainCases();
  assert.deepEqual(
    core.conditionsHold(cases.map(({ ask }) => ask)),
    cases.map(({ holds }) => holds),
  );
  const judged = judgedCases();
  assert.deepEqual(
    core.conditionsJudge(judged.map(({ ask }) => ask)).map(judgement),
    judged.map(({ expected }) => expected),
  );
  for (const division of vectors('21-bucketing')) {
    const ranges = core.answer(core.exports.bucket_ranges(core.put(JSON.stringify(division))));
    assert.deepEqual(ranges, division.ranges, division.name);
  }
  for (const vector of vectors('22-features')) {
    assert.deepEqual(core.growthbook(vector).result, vector.result, vector.name);
  }
}

test('random arguments to every export leave the instance sound', () => {
  const core = new Core();
  const draw = chance(20_261_125);
  const functions = Object.entries(core.exports).filter(([, value]) => typeof value === 'function');
  assert.ok(functions.length > 25);
  const handles = [0];
  const argument = () => {
    const kind = draw(5);
    if (kind === 0) return handles[draw(handles.length)];
    if (kind === 1) return NUMBERS[draw(NUMBERS.length)];
    if (kind === 2) return draw(2 ** 32) >>> draw(32);
    const text = TEXTS[draw(TEXTS.length)];
    if (kind === 3) return core.put(text);
    return core.put(Uint8Array.from({ length: draw(64) }, () => draw(256)));
  };
  for (let call = 0; call < CALLS; call += 1) {
    if (draw(100) === 0) handles.push(core.exports.growthbook_new(core.put('{"features":{"a":{}}}')));
    if (draw(100) === 0) handles.push(core.exports.member_open(core.put('m'), 0));
    if (draw(100) === 0) handles.push(core.exports.profile_open(0));
    const [, run] = functions[draw(functions.length)];
    const answer = run(argument(), argument(), argument(), argument());
    if (draw(10) > 0) core.exports.buffer_free(answer);
  }
  assertSound(core);
});

test('bytes that are no bundle or payload are refused with a code', () => {
  const core = new Core();
  const { evaluator_new, growthbook_new, last_error } = core.exports;
  assert.equal(last_error(), 0, 'nothing has been refused');
  const draw = chance(7);
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Uint8Array.from({ length: draw(300) }, () => draw(256));
    assert.equal(evaluator_new(core.put(bytes)), 0);
    assert.match(core.json(last_error()).error, /^bundle_/);
    assert.equal(growthbook_new(core.put(bytes)), 0);
    assert.match(core.json(last_error()).error, /^(json|growthbook)_/);
  }
  assertSound(core);
});

test('bytes that are no state are refused with a code', () => {
  const core = new Core();
  const { member_open, profile_open, last_error } = core.exports;
  const draw = chance(11);
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Uint8Array.from({ length: 1 + draw(100) }, () => draw(256));
    // Half of them begin as states do.
    if (draw(2) === 0) bytes.set([[77, 80][draw(2)], 2].slice(0, bytes.length));
    assert.equal(member_open(core.put('m'), core.put(bytes)), 0);
    assert.match(core.json(last_error()).error, /^snapshot_/);
    assert.equal(profile_open(core.put(bytes)), 0);
    assert.match(core.json(last_error()).error, /^snapshot_/);
  }
  assertSound(core);
});

test('cases that are no array are refused with a code', () => {
  const core = new Core();
  const { conditions_hold, last_error } = core.exports;
  assert.equal(conditions_hold(core.put('[]')), 0);
  assert.equal(last_error(), 0, 'no cases have no answers');
  for (const cases of ['{}', '[', '7', '', Uint8Array.of(255)]) {
    core.exports.evaluator_new(0);
    assert.equal(conditions_hold(core.put(cases)), 0);
    assert.equal(core.json(last_error()).error, 'conditions_unreadable');
  }
  assertSound(core);
});

test('what is no statement, division, unit or case is refused with a code', () => {
  const core = new Core();
  const { bucket_ranges, bundle_apply, conditions_judge, current_bundles, last_error } = core.exports;
  const draw = chance(13);
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Uint8Array.from({ length: draw(300) }, () => draw(256));
    // Half of them begin as statements do.
    if (draw(2) === 0) bytes.set([65, 84, 78, 67, 1].slice(0, bytes.length));
    assert.match(core.json(current_bundles(core.put(bytes), core.put('["a"]'))).error, /^bundle_/);
    assert.equal(bundle_apply(core.put(bytes), core.put(bytes), 0), 0);
    assert.match(core.json(last_error()).error, /^bundle_/);
    assert.equal(bundle_apply(core.put(bytes), core.put(bytes), core.put('0g')), 0);
    assert.equal(core.json(last_error()).error, 'hash_invalid');
    assert.match(core.json(bucket_ranges(core.put(bytes))).error, /^(json|division)_/);
    assert.equal(core.json(conditions_judge(core.put(bytes))).error, 'conditions_unreadable');
  }
  for (const division of ['{}', '{"count":65}', '{"count":2,"coverage":"1"}', '{"count":2,"weights":{}}']) {
    assert.equal(core.json(bucket_ranges(core.put(division))).error, 'division_invalid');
  }
  for (const [asked, at] of [
    ['7', ''],
    ['{"condition":{}}', '/document'],
    ['{"condition":{},"document":{"signals":{"a/b":7}}}', '/document/signals/a~1b'],
    [`{"condition":{"traits.a":"${'x'.repeat(65_536)}"},"document":{}}`, '/condition'],
  ]) {
    const cases = core.put(`[${asked},{"condition":{},"document":{}}]`);
    const [refused, sound] = core.answer(conditions_judge(cases));
    assert.deepEqual([refused.error, refused.at, sound.holds], ['case_unreadable', at, true]);
  }
  assertSound(core);
});

test('what is no question is told by a row of its own', { skip: missing }, () => {
  const core = new Core();
  const signals = [{ name: 's', on: 'click', aggregate: 'count', window: '5m' }];
  const processor = new Processor(core, compiled({ signals }));
  const [member, profile] = [processor.member('m'), processor.profile()];
  const questions = [
    7,
    {},
    { signal: 't' },
    { signal: 's', key: 'k' },
    { signal: 's', at: 'soon' },
    { signal: 's' },
  ];
  const rows = processor.read(profile, questions);
  const unreadable = 'question_unreadable';
  assert.deepEqual(
    rows.map(({ error = null }) => error),
    [unreadable, unreadable, 'signal_unknown', 'signal_key_unexpected', unreadable, null],
  );
  assert.throws(() => processor.read(profile, {}), { code: 'questions_unreadable' });
  assert.throws(() => processor.read(member, []), { code: 'state_not_profile' });
  assert.equal(core.json(core.exports.processor_read(99, profile.handle, 0)).error, 'handle_unknown');
  assertSound(core);
});

test('a visitor is told what it cannot be, and rules are named by number', { skip: missing }, () => {
  const core = new Core();
  const rule = (id) => ({ id, slot: 'hero', when: { 'traits.plan': id }, actions: [] });
  const handle = core.opened(
    core.exports.evaluator_new(core.put(compiled({ rules: ['pro', 'a"b', 'free'].map(rule) }))),
  );
  const { visitor_set, visitor_identify, visitor_time, evaluator_rules, last_error } = core.exports;
  const rules = core.answer(evaluator_rules(handle));
  assert.deepEqual([...rules].sort(), ['a"b', 'free', 'pro']);
  for (const plan of rules) {
    assert.equal(visitor_set(handle, core.scratch(JSON.stringify({ traits: { plan } }))), 1);
    const at = core.exports.visitor_changes(handle);
    assert.equal(rules[new Uint32Array(core.exports.memory.buffer, at, 2)[1] - 1], plan);
  }
  const before = core.answer(core.exports.visitor_decision(handle, 0));
  for (const [code, ask] of [
    ['attributes_no_object', () => visitor_set(handle, core.scratch('[1]'))],
    ['attributes_no_object', () => visitor_set(handle, core.scratch('7'))],
    ['attributes_no_object', () => visitor_set(handle, core.scratch('{"traits":"pro"}'))],
    ['time_out_of_range', () => visitor_time(handle, Number.NaN)],
    ['anonymous_id_invalid', () => visitor_identify(handle, 0)],
    ['handle_unknown', () => visitor_identify(handle + 1, core.scratch('ann'))],
  ]) {
    assert.equal(ask(), -1, code);
    assert.equal(core.json(last_error()).error, code);
  }
  assert.equal(core.json(evaluator_rules(handle + 1)).error, 'handle_unknown');
  assert.deepEqual(core.answer(core.exports.visitor_decision(handle, 0)), before);
  assertSound(core);
});

test('unknown handles are told by name, and more than fits is refused', () => {
  const core = new Core();
  const { buffer_new, buffer_free, scratch, evaluator_summary, visitor_set, last_error } = core.exports;
  assert.equal(core.json(evaluator_summary(99)).error, 'handle_unknown');
  assert.equal(visitor_set(99, 0), -1);
  assert.equal(core.json(last_error()).error, 'handle_unknown');
  assert.deepEqual([buffer_new(0), buffer_new(BIG + 1), scratch(BIG + 1)], [0, 0, 0]);
  const buffers = Array.from({ length: 100 }, () => buffer_new(BIG));
  assert.deepEqual(
    buffers.map((address) => address !== 0),
    buffers.map((_, at) => at < 4),
  );
  buffers.forEach(buffer_free);
  assertSound(core);
});
