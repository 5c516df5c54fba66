/** Conditions against the real @growthbook/growthbook: random cases, each asked of the package and of core.wasm. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { evalCondition } from '@growthbook/growthbook';
import { conditionsHold } from './core.mjs';
import { known } from './differences.mjs';
import { Draw, GROUPS } from './random.mjs';

const CASES = Number(process.env.CASES ?? 100_000);
const SEED = Number(process.env.SEED ?? 20_261_125);
const BATCH = 5_000;

// The package reports every unknown operator.
console.error = () => {};

/** What the package says; nothing where it throws. */
function expected([attributes, condition, groups]) {
  try {
    return evalCondition(attributes, condition, groups);
  } catch {
    return undefined;
  }
}

it(`gives the package's answer to ${CASES} random conditions`, () => {
  const draw = new Draw(SEED);
  const counts = { true: 0, false: 0, thrown: 0, known: 0 };
  const different = [];
  for (let done = 0; done < CASES; done += BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, CASES - done) }, () => {
      // Through text, as both read it, so that -0 and repeated names are what they are in JSON.
      const [attributes, condition] = JSON.parse(JSON.stringify([draw.attributes(), draw.condition(2)]));
      return [attributes, condition, JSON.stringify(condition).includes('Group') ? GROUPS : {}];
    });
    const answers = conditionsHold(cases);
    assert.equal(answers.length, cases.length);
    for (const [index, answer] of answers.entries()) {
      const wanted = expected(cases[index]);
      if (wanted === undefined) counts.thrown++;
      else if (known(cases[index])) counts.known++;
      else {
        counts[wanted]++;
        if (answer !== wanted) different.push({ wanted, answer, case: cases[index].slice(0, 2) });
      }
    }
  }
  assert.deepEqual(
    different.slice(0, 5).map((found) => JSON.stringify(found)),
    [],
    `${different.length} of ${CASES}`,
  );
  // A generator that has gone wrong would leave one answer, or would fall into what is not compared.
  assert.ok(counts.true > CASES / 10 && counts.false > CASES / 10, JSON.stringify(counts));
  assert.ok(counts.thrown + counts.known < CASES / 10, JSON.stringify(counts));
});
