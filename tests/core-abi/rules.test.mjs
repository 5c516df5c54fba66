/** The rule, score and sticky vectors through core.wasm without glue. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from './bundle.mjs';
import { Core, vectors } from './core.mjs';
import { durationMs, keyed, Script } from './script.mjs';

for (const [file, least] of [
  ['70-rules', 190],
  ['30-scores', 60],
  ['24-sticky', 34],
]) {
  test(`every vector of ${file} gives its decisions`, { skip: missing }, (t) => {
    const core = new Core();
    const all = vectors(file);
    const seen = {};
    for (const vector of all) run(new Script(core, vector), vector, seen);
    t.diagnostic(`${file}: ${all.length} vectors run whole, compared: ${JSON.stringify(seen)}`);
    assert.ok(all.length >= least);
  });
}

test('a server that renders pages decides every vector of 24-sticky alike', { skip: missing }, (t) => {
  const core = new Core();
  let held = 0;
  for (const vector of vectors('24-sticky')) {
    const script = new Script(core, vector);
    for (const [at, step] of vector.steps.entries()) {
      script.step(step);
      script.render();
      for (const [slot, expected] of Object.entries(step.holds ?? {})) {
        const found = script.rendered[slot] ?? null;
        const place = `${vector.number} ${vector.name}, step ${at + 1}: ${slot}`;
        assert.equal(found && keyed(found), expected, place);
        if (found) held += 1;
      }
    }
    script.close();
  }
  t.diagnostic(`24-sticky: ${held} slots rendered`);
  assert.ok(held >= 55);
});

test('what a rule would do is what it does when it holds', { skip: missing }, (t) => {
  const core = new Core();
  let compared = 0;
  for (const vector of vectors('70-rules')) {
    const script = new Script(core, vector);
    const { exports } = core;
    const wouldDo = (rule) => core.answer(exports.visitor_preview(script.page.handle, core.put(rule)));
    for (const step of vector.steps) {
      script.step(step);
      // Without a key, which only a rule that holds has.
      for (const { slot, rule, actions } of script.page.decided().filter(({ key }) => key === null)) {
        assert.deepEqual(wouldDo(rule), { slot, rule, actions }, `${vector.number} ${vector.name}: ${rule}`);
        compared += 1;
      }
    }
    script.close();
  }
  t.diagnostic(`70-rules: ${compared} decisions compared`);
  assert.ok(compared >= 190);
});

/** Runs a script and compares all that its steps expect; `seen` counts what was compared, by field. */
function run(script, { number, name, steps }, seen) {
  const { page } = script;
  let fired = [];
  for (const [at, step] of steps.entries()) {
    const unknown = Object.keys(step).filter(
      (field) => !SAYS.has(field) && !(field in LOOKS) && !TELLS.has(field),
    );
    assert.deepEqual(unknown, [], `${number} ${name}, step ${at + 1}: fields that this host does not know`);
    fired.push(...script.step(step));
    const same = (field, found, expected, subject = '') => {
      seen[field] = (seen[field] ?? 0) + 1;
      assert.deepEqual(found, expected, `${number} ${name}, step ${at + 1}: ${field} ${subject}`);
    };
    for (const [field, look] of Object.entries(LOOKS)) {
      for (const [subject, expected] of Object.entries(step[field] ?? {})) {
        same(field, look(page, subject), expected, subject);
      }
    }
    if (step.fired) {
      same('fired', fired.map(keyed), step.fired);
      if (step.calls) same('calls', fired.map(actionsOf), step.calls);
      fired = [];
    }
    if (step.exposed) same('exposed', script.exposed.splice(0), step.exposed);
    if ('wake_after' in step) {
      same('wake_after', script.wakeAfter(), step.wake_after && durationMs(step.wake_after));
    }
  }
  script.close();
}

/** What a step says. */
const SAYS = new Set('after at context granted member metadata publish reload session track user'.split(' '));
/** What is compared as a whole. */
const TELLS = new Set(['fired', 'calls', 'exposed', 'wake_after']);
/** What there is to compare of a page, by the field of a step. */
const LOOKS = {
  holds: (page, slot) => (page.decision(slot) ? keyed(page.decision(slot)) : null),
  actions: (page, slot) => page.decision(slot)?.actions ?? null,
  variables: (page, variable) => {
    const actions = page.decided().flatMap(actionsOf);
    return actions.find((action) => action.name === variable)?.value ?? null;
  },
  reasons: (page, rule) => page.reason(rule),
  origins: (page, experiment) => page.origin(experiment),
};

const actionsOf = ({ actions }) => actions;
