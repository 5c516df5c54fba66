/** The vectors of ranges and of candidates through core.wasm without glue: how units are divided. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, missing } from './bundle.mjs';
import { Core, vectors } from './core.mjs';
import { Processor } from './processor.mjs';

test('every vector of 21-bucketing gives its ranges', (t) => {
  const core = new Core();
  const all = vectors('21-bucketing');
  let asked = 0;
  for (const { name, count, coverage, weights, ranges } of all) {
    const division = JSON.stringify({ count, coverage, weights });
    assert.deepEqual(core.answer(core.exports.bucket_ranges(core.put(division))), ranges, name);
    asked += 1;
  }
  t.diagnostic(`21-bucketing: ${asked} of ${all.length} vectors`);
  assert.equal(asked, all.length);
});

test('every vector of 60-candidate gives the revision of its unit', (t) => {
  const core = new Core();
  const all = vectors('60-candidate');
  let asked = 0;
  for (const { name, seed, share, unit, revision } of all) {
    const { bundles, units } = divided(core, statement({ seed, share }), [unit]);
    assert.equal(bundles[units[0]].revision, revision, name);
    asked += 1;
  }
  t.diagnostic(`60-candidate: ${asked} of ${all.length} vectors`);
  assert.equal(asked, all.length);
});

test('every member is judged by the bundle that its vector says', { skip: missing }, (t) => {
  const all = vectors('60-candidate');
  // What units get that cannot be a member's name is what `current_bundles` says.
  const named = all.filter(({ unit }) => unit !== '' && unit.length <= 100);
  const rules = { triggers: [{ id: 'any', on: 'click', actions: [] }] };
  const [current, candidate] = [1, 2].map((revision) => compiled(rules, { revision }));
  const processor = new Processor(new Core(), current);
  for (const { name, seed, share, unit, revision } of named) {
    processor.rollOut(statement({ seed, share }), candidate, 0);
    const [member, profile] = [processor.member(unit), processor.profile()];
    const event = {
      event_id: 'e',
      event_type: 'click',
      timestamp: '2026-11-20T10:00:00Z',
      anonymous_id: unit,
    };
    const { changes } = processor.absorb(member, [{ event }]);
    const { firings } = processor.combine(profile, changes);
    assert.deepEqual(
      firings.map((firing) => firing.bundle_revision),
      [revision],
      name,
    );
    member.close();
    profile.close();
  }
  t.diagnostic(`60-candidate: ${named.length} of ${all.length} vectors, those whose unit can be a member`);
  assert.ok(named.length > 70);
});

test('a statement without a candidate names one bundle, and no unit that is no text', () => {
  const { bundles, units } = divided(new Core(), statement(), ['a', 7, null, 'b']);
  assert.deepEqual(bundles, [{ revision: 1, hash: '01'.repeat(32) }]);
  assert.deepEqual(units, [0, null, null, 0]);
});

/** What `current_bundles` answers of units. */
function divided(core, statement, units) {
  return core.answer(core.exports.current_bundles(core.put(statement), core.put(JSON.stringify(units))));
}

/** A statement of what is current with revision 1 and, where there is a candidate, 2; its signature is zeros. */
function statement(candidate) {
  const hash = (byte) => Array(32).fill(byte);
  const tried = candidate ? [1, 2, ...hash(2), ...count(candidate.share), ...text(candidate.seed)] : [0];
  const place = [...text('shop'), ...text('production')];
  const signed = [...Buffer.from('ATNC'), 1, ...place, 1, ...hash(1), ...tried, 0, 0, ...text('key')];
  return Uint8Array.from([...signed, ...Array(64).fill(0)]);
}

/** A text behind its length in bytes. */
const text = (value) => [...count(Buffer.byteLength(value)), ...Buffer.from(value)];

/** An unsigned LEB128 number. */
function count(number) {
  return number < 128 ? [number] : [(number % 128) + 128, ...count(Math.floor(number / 128))];
}
