/** The numbered vectors through core.wasm without glue. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Core, judgedCases, judgement, module, plainCases, read, vectors } from './core.mjs';

test('the module imports nothing, and the page about it names every export', () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const page = read('docs/core-abi.md');
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    if (kind === 'function') assert.ok(page.includes(`\`${name}(`), `docs/core-abi.md does not name ${name}`);
  }
});

test('every condition vector is judged over its document or refused', (t) => {
  const cases = judgedCases();
  const answers = new Core().conditionsJudge(cases.map(({ ask }) => ask));
  assert.equal(answers.length, cases.length);
  for (const [at, { title, expected }] of cases.entries()) {
    assert.deepEqual(judgement(answers[at]), expected, title);
  }
  const refused = answers.filter(({ error }) => error).length;
  t.diagnostic(
    `conditions_judge: ${cases.length} condition vectors, ${refused} of them refused as they must be`,
  );
  assert.ok(cases.length > 1_050 && refused > 80);
});

test('every condition vector that needs no visitor gives its answer', () => {
  const cases = plainCases();
  const answers = new Core().conditionsHold(cases.map(({ ask }) => ask));
  assert.deepEqual(
    cases.map(({ title }, at) => `${title}: ${answers[at]}`),
    cases.map(({ title, holds }) => `${title}: ${holds}`),
  );
  assert.ok(cases.length > 800);
});

test('every pattern of the corpus matches every text or not, as it must', (t) => {
  const { texts, patterns } = vectors('13-pattern-corpus');
  const core = new Core();
  for (const { pattern, flags, matches } of patterns) {
    const test = { [{ '': '$regex', i: '$regexi' }[flags]]: pattern };
    const answers = core.conditionsHold(texts.map((text) => [{ text }, { text: test }]));
    assert.equal(answers.map(Number).join(''), matches, `/${pattern}/${flags}`);
  }
  t.diagnostic(`13-pattern-corpus: ${patterns.length} patterns on ${texts.length} texts`);
  assert.ok(patterns.length * texts.length > 20_000);
});

test('every hash vector gives its bucket, NaN for a version that does not exist', () => {
  const core = new Core();
  for (const { name, seed, unit, half, before = '', version, bucket } of vectors('20-hash')) {
    // Half a surrogate pair is no text in UTF-8; what stands for it on the wire is U+FFFD.
    const asked = half ? `${before}\ufffd` : unit;
    assert.equal(
      core.exports.bucket_hash(core.put(seed), core.put(asked), version),
      bucket ?? Number.NaN,
      name,
    );
  }
});

for (const file of ['22-features', '23-run']) {
  test(`every vector of ${file} gives its result`, () => {
    const core = new Core();
    for (const vector of vectors(file)) {
      const { result, sticky } = core.growthbook(vector);
      assert.deepEqual(result, vector.result, vector.name);
      if (vector.sticky) assert.deepEqual(sticky, vector.sticky, vector.name);
    }
  });
}
