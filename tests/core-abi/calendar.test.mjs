/** The vectors of the calendar through core.wasm without glue: each as a rule, at its instant, or as what is refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, missing } from './bundle.mjs';
import { Core, judgedCases, judgement, vectors } from './core.mjs';

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
  const refused = judgedCases(['50-calendar']).filter(({ expected }) => 'error' in expected);
  for (const [at, answer] of core.conditionsJudge(refused.map(({ ask }) => ask)).entries()) {
    assert.deepEqual(judgement(answer), refused[at].expected, refused[at].title);
  }
  t.diagnostic(`50-calendar: ${asked.length} vectors as rules, ${refused.length} refused, of ${all.length}`);
  assert.equal(asked.length + refused.length, all.length);
});
