/** `attune/evaluator` as built: what its module asks for, and how it refuses what is no bundle. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { condition, Evaluator, EvaluatorError } from '../dist/evaluator.js';

const core = new URL('../dist/core.wasm', import.meta.url);

test('core.wasm asks nothing of its host', () => {
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(core))), []);
});

test('bytes that are no bundle are refused with a code', () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(300).fill(1)]) {
    assert.throws(
      () => new Evaluator(bytes),
      (error) => error instanceof EvaluatorError && /^[a-z_]+$/.test(error.code) && error.message !== '',
    );
  }
});

test('a condition holds of attributes or does not', () => {
  const groups = { staff: ['7', 8] };
  for (const [holds, attributes, asked, savedGroups] of [
    [true, {}, {}],
    [true, { plan: 'pro', seats: 5 }, { plan: 'pro', seats: { $gte: 5 } }],
    [false, { plan: 'pro', seats: 4 }, { plan: 'pro', seats: { $gte: 5 } }],
    [true, { tags: ['a', 'b'] }, { tags: { $in: ['b'] } }],
    [true, { v: '10.0.1' }, { v: { $vgt: '9.9.9' } }],
    [true, { name: 'Zoë 日本' }, { name: { $regex: '日本$' } }],
    [true, { id: '7' }, { id: { $inGroup: 'staff' } }, groups],
    [false, { id: '9' }, { id: { $inGroup: 'staff' } }, groups],
    [false, { id: '7' }, { id: { $inGroup: 'staff' } }],
    [true, { name: '\ud800' }, { name: '\ufffd' }],
    [false, { a: undefined }, { a: { $exists: true } }],
    [false, { a: 1 }, { a: { $unheard_of: 1 } }],
  ]) {
    assert.equal(condition(attributes, asked, savedGroups), holds, JSON.stringify([attributes, asked]));
  }
});

test('what no condition can be asked of is refused with a code', () => {
  const cyclic = {};
  cyclic.self = cyclic;
  let deep = 1;
  for (let level = 0; level < 5_000; level += 1) deep = { a: deep };
  for (const [attributes, asked] of [
    [null, {}],
    [[], {}],
    ['a', {}],
    [undefined, {}],
    [cyclic, {}],
    [{ a: 1n }, {}],
    [deep, {}],
    [{}, deep],
  ]) {
    assert.throws(
      () => condition(attributes, asked),
      (error) => error instanceof EvaluatorError && error.code === 'condition_unreadable',
    );
  }
  assert.equal(condition({ a: 1 }, { a: 1 }), true);
});

test('addresses and handles that name nothing are answered, not followed', () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(core)));
  const answer = (address) => {
    const bytes = new Uint8Array(exports.memory.buffer, address, exports.buffer_length(address));
    return JSON.parse(new TextDecoder().decode(bytes));
  };
  assert.equal(exports.evaluator_new(123_456), 0);
  assert.equal(typeof answer(exports.last_error()).error, 'string');
  assert.equal(answer(exports.evaluator_absorb(7, 99)).error, 'handle_unknown');
  assert.equal(answer(exports.evaluator_summary(0)).error, 'handle_unknown');
  assert.equal(exports.buffer_new(0), 0);
  assert.equal(exports.buffer_new(2 ** 31), 0);
  assert.equal(exports.buffer_length(42), 0);
  exports.buffer_free(42);
  exports.evaluator_free(42);
});
