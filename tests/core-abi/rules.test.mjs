/** The rule and score vectors through core.wasm without glue. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from './bundle.mjs';
import { Core, vectors } from './core.mjs';
import { keyed, Script, whyNot } from './script.mjs';

for (const [file, least] of [
  ['70-rules', 180],
  ['30-scores', 60],
]) {
  test(`every vector of ${file} that needs no consent gives its decisions`, { skip: missing }, (t) => {
    const core = new Core();
    const [all, leftOut] = [vectors(file), {}];
    let [ran, unseen] = [0, 0];
    for (const vector of all) {
      const reason = whyNot(vector);
      if (reason) {
        leftOut[reason] = (leftOut[reason] ?? 0) + 1;
        continue;
      }
      ran += 1;
      if (vector.steps.some((step) => 'exposed' in step)) unseen += 1;
      run(new Script(core, vector), vector);
    }
    t.diagnostic(
      `${file}: ${ran} of ${all.length} scripts run, ${unseen} of them without their exposures; not: ${JSON.stringify(leftOut)}`,
    );
    assert.ok(ran >= least);
  });
}

function run(script, { number, name, steps }) {
  let fired = [];
  for (const [at, step] of steps.entries()) {
    const place = `${number} ${name}, step ${at + 1}`;
    fired.push(...script.step(step));
    const { page } = script;
    const each = (field, look) => {
      for (const [subject, expected] of Object.entries(step[field] ?? {})) {
        assert.deepEqual(look(subject), expected, `${place}: ${field} ${subject}`);
      }
    };
    each('holds', (slot) => (page.decision(slot) ? keyed(page.decision(slot)) : null));
    each('actions', (slot) => page.decision(slot)?.actions ?? null);
    each('variables', (variable) => {
      const actions = page.decided().flatMap((decision) => decision.actions);
      return actions.find((action) => action.name === variable)?.value ?? null;
    });
    if (page.explains) each('reasons', (rule) => page.reason(rule));
    if (step.fired) {
      assert.deepEqual(fired.map(keyed), step.fired, `${place}: fired`);
      if (step.calls) {
        assert.deepEqual(
          fired.map(({ actions }) => actions),
          step.calls,
          `${place}: calls`,
        );
      }
      fired = [];
    }
  }
  script.close();
}
