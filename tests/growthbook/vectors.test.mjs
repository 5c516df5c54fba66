/** The numbered vectors of hashes, ranges, features and experiments through `core.wasm`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Evaluator, EvaluatorError, hash } from '../../sdk-wasm/dist/evaluator.js';
import { plain, real } from './real.mjs';

const vectors = (file) => JSON.parse(readFileSync(new URL(`../spec/${file}.json`, import.meta.url), 'utf8'));

test('every hash vector gives its bucket', () => {
  for (const { name, seed, unit, half, before = '', version, bucket } of vectors('20-hash')) {
    const asked = half ? before + String.fromCharCode(Number.parseInt(half, 16)) : unit;
    assert.equal(hash(seed, asked, version), bucket, name);
  }
});

test('every bucketing vector gives the variation whose range holds the bucket', () => {
  for (const { name, count, coverage, weights, ranges } of vectors('21-bucketing')) {
    const evaluator = Evaluator.fromGrowthBook({});
    const experiment = { key: name, variations: Array(count).fill(0), coverage, weights };
    for (let unit = 0; unit < 50; unit += 1) {
      evaluator.setAttributes({ id: `${unit}` });
      const bucket = hash(name, `${unit}`, 1);
      const variation = ranges.findIndex(([from, until]) => bucket >= from && bucket < until);
      const { inExperiment, variationId } = evaluator.run(experiment);
      assert.equal(inExperiment ? variationId : -1, variation, name);
    }
    evaluator.free();
  }
});

for (const [file, ask] of [
  ['22-features', (evaluator, { key }) => evaluator.evalFeature(key)],
  ['23-run', (evaluator, { experiment }) => evaluator.run(experiment)],
]) {
  test(`every vector of ${file} gives its result, here and in GrowthBook's own package`, () => {
    for (const vector of vectors(file)) {
      const { name, payload = {}, options, result, sticky } = vector;
      const ours = Evaluator.fromGrowthBook(payload);
      ours.setOptions(options);
      assert.deepEqual(ask(ours, vector), result, name);
      if (sticky) assert.deepEqual(ours.stickyBucketAssignmentDocs, sticky, name);
      ours.free();
      const theirs = real(payload, options);
      assert.deepEqual(plain(ask(theirs, vector)), result, name);
      theirs.destroy();
    }
  });
}

test('bad input gives an error with a code, and the evaluator goes on', () => {
  const refused = (code, work) =>
    assert.throws(work, (error) => error instanceof EvaluatorError && error.code === code);
  refused('json_unexpected', () => Evaluator.fromGrowthBook('{x'));
  refused('growthbook_no_object', () => Evaluator.fromGrowthBook('[]'));
  refused('json_ends_early', () => Evaluator.fromGrowthBook(''));
  const evaluator = Evaluator.fromGrowthBook(
    '{"features":{"a":7,"b":{"rules":7,"defaultValue":1}},"savedGroups":[]}',
  );
  refused('growthbook_no_object', () => evaluator.setOptions([]));
  refused('growthbook_no_object', () => evaluator.run([]));
  assert.equal(evaluator.evalFeature('b').value, 1);
  assert.equal(evaluator.evalFeature('').source, 'unknownFeature');
  evaluator.free();
  refused('handle_unknown', () => evaluator.evalFeature('b'));
});

test('half a surrogate pair in an attribute is U+FFFD, and a whole one stays', () => {
  const evaluator = Evaluator.fromGrowthBook({});
  const experiment = { key: 'e', variations: [0, 1] };
  const given = (id) => {
    evaluator.setAttributes({ id });
    return evaluator.run(experiment);
  };
  assert.deepEqual(given('a\ud83d'), given('a\ufffd'));
  assert.equal(given('\\ud83d\ud83d\ude00').hashValue, '\\ud83d\ud83d\ude00');
  evaluator.free();
});

test('prerequisites that branch at every step come to an end', () => {
  const features = { f0: { defaultValue: true } };
  for (let step = 1; step < 60; step += 1) {
    const parent = { id: `f${step - 1}`, condition: { value: 'never' } };
    features[`f${step}`] = {
      defaultValue: 1,
      rules: [1, 2, 3].map((force) => ({ force, parentConditions: [parent] })),
    };
  }
  for (let step = 0; step < 500; step += 1) {
    features[`deep${step}`] = {
      rules: [{ force: 1, parentConditions: [{ id: `deep${step + 1}`, condition: {} }] }],
    };
  }
  const evaluator = Evaluator.fromGrowthBook({ features });
  assert.equal(evaluator.evalFeature('f59').source, 'cyclicPrerequisite');
  assert.equal(evaluator.evalFeature('deep0').source, 'cyclicPrerequisite');
  assert.equal(evaluator.evalFeature('f5').value, 1);
  evaluator.free();
});
