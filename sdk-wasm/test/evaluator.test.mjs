/** `attune/evaluator` as built: what its module asks for, and how it refuses what is no bundle. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Evaluator, EvaluatorError } from '../dist/evaluator.js';

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
