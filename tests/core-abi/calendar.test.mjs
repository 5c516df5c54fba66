/** The vectors of the calendar through core.wasm without glue: each condition as a rule, at its instant. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, missing } from './bundle.mjs';
import { Core, vectors } from './core.mjs';

/** Conditions that a compiler refuses, so that no bundle has them. */
const REFUSED = 10;

test('every vector of 50-calendar gives its answer and its next instant', { skip: missing }, (t) => {
  const core = new Core();
  const all = vectors('50-calendar');
  const asked = all.filter((vector) => !('error' in vector));
  for (const { number, name, condition, document, holds, wake_at = null } of asked) {
    const rules = { rules: [{ id: 'r', slot: 's', when: condition, actions: [] }] };
    const handle = core.opened(core.exports.evaluator_new(core.put(compiled(rules))));
    const { now, ...attributes } = document;
    core.exports.visitor_set(handle, core.scratch(JSON.stringify(attributes)));
    core.exports.visitor_time(handle, Date.parse(now));
    const found = core.answer(core.exports.visitor_decision(handle, 0)) !== null;
    const wake = core.exports.visitor_wake(handle);
    const at = Number.isNaN(wake) ? null : new Date(wake).toISOString();
    assert.deepEqual([found, at], [holds, wake_at], `${number} ${name}`);
    core.exports.evaluator_free(handle);
  }
  t.diagnostic(`50-calendar: ${asked.length} of ${all.length} vectors, the rest are refused by the compiler`);
  assert.equal(all.length - asked.length, REFUSED);
});
