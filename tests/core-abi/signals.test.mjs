/** The signal vectors through core.wasm without glue: each reading of a state, and as the condition of a rule. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, missing } from './bundle.mjs';
import { Core, vectors } from './core.mjs';
import { Processor } from './processor.mjs';

const PAST = 'reads what was before the latest event';
const NO_SESSION = 'reads no session after events had one';

/** Later than any event of a vector. */
const RECEIVED = '2100-01-01T00:00:00Z';

test('every vector of 40-signals gives its readings', { skip: missing }, (t) => {
  const core = new Core();
  const all = vectors('40-signals');
  let compared = 0;
  for (const vector of all) {
    const { number, name, signals, events, reads } = vector;
    const processor = new Processor(core, compiled({ signals }));
    const profile = combined(processor, events.map(event));
    const answers = processor.read(
      profile,
      reads.map((read) => question(vector, read)),
    );
    assert.equal(answers.length, reads.length);
    for (const [at, read] of reads.entries()) {
      assert.deepEqual(reading(answers[at], read), reading(read, read), `${number} ${name}, read ${at + 1}`);
      compared += 1;
    }
    profile.close();
    processor.free();
  }
  t.diagnostic(`40-signals: ${all.length} vectors, ${compared} readings of a state`);
  assert.equal(compared, all.flatMap(({ reads }) => reads).length);
});

test('a rule holds by the readings of a visitor at its latest time', { skip: missing }, (t) => {
  const core = new Core();
  const all = vectors('40-signals');
  const [seen, leftOut] = [{}, {}];
  for (const vector of all) {
    for (const [at, read] of vector.reads.entries()) {
      const reason = whyNot(vector, read);
      if (reason) leftOut[reason] = (leftOut[reason] ?? 0) + 1;
      else compare(core, vector, read, `${vector.number} ${vector.name}, read ${at + 1}`);
      if (!reason) for (const field of Object.keys(read)) seen[field] = (seen[field] ?? 0) + 1;
    }
  }
  t.diagnostic(
    `40-signals: as rules: ${JSON.stringify(seen)}; behind the visitor's time or session: ${JSON.stringify(leftOut)}`,
  );
  assert.deepEqual(leftOut, { [PAST]: 4, [NO_SESSION]: 1 });
});

/** The state of the profile that the members of events have together. */
function combined(processor, events) {
  const profile = processor.profile();
  const members = {};
  for (const event of events) {
    const name = event.anonymous_id;
    members[name] ??= processor.member(name);
    const absorbed = processor.absorb(members[name], [{ event, proven: true, received_at: RECEIVED }]);
    const { errors } = processor.combine(profile, absorbed.changes, processor.profile());
    assert.deepEqual([absorbed.errors, errors], [[], []]);
  }
  return profile;
}

/** A reading as `processor_read` is asked for it. */
function question(vector, { at, signal = 's', key, session = null }) {
  const time = clocks(vector, { at });
  return { signal, key, at, session, ...('utc_offset_minutes' in time && { time }) };
}

/** A reading in one form, with its `until` where the vector tells one. */
function reading({ value, missing, truncated, until }, read) {
  const at = 'value' in read && 'until' in read ? until && Date.parse(until) : undefined;
  return { value, missing, truncated, until: at };
}

/** Why a reading is none of a visitor, who is never behind its latest event; null where it is one. */
function whyNot({ events }, read) {
  if (events.some((event) => Date.parse(event.at) > Date.parse(read.at))) return PAST;
  if (!('session' in read) && events.some((event) => 'session' in event)) return NO_SESSION;
  return null;
}

/** Takes the events in and compares one reading, and until when it holds. */
function compare(core, vector, read, place) {
  const { exports } = core;
  const handle = core.opened(exports.evaluator_new(core.put(compiled(rules(vector, read)))));
  const events = vector.events.map(event);
  exports.visitor_name(handle, core.put(events.at(-1)?.anonymous_id ?? 'a'));
  const context = { time: clocks(vector, read) };
  exports.visitor_set(handle, core.scratch(JSON.stringify({ context })));
  exports.visitor_session(handle, core.scratch(read.session ?? ''));
  const answer = core.answer(exports.evaluator_absorb(handle, core.put(JSON.stringify(events))));
  assert.deepEqual(answer.errors, [], place);
  exports.visitor_time(handle, Date.parse(read.at));
  const holds = core.answer(exports.visitor_decision(handle, 0)) !== null;
  assert.equal(holds, !('truncated' in read), place);
  if ('until' in read) {
    const until = read.until === null ? Number.NaN : Date.parse(read.until);
    assert.equal(exports.visitor_wake(handle), until, `${place}: until`);
  }
  exports.evaluator_free(handle);
}

/** The signals, and a rule that holds where one reads as it must; of one that is truncated nothing holds. */
function rules({ signals }, read) {
  const tests = 'value' in read ? [{ $eq: read.value }] : [{ $exists: false }];
  if ('truncated' in read) tests.push({ $exists: true });
  const signal = { name: read.signal ?? 's', ...('key' in read && { key: read.key }) };
  const when = { $or: tests.map((is) => ({ $signal: { ...signal, is } })) };
  return { signals, rules: [{ id: 'r', slot: 's', when, actions: [] }] };
}

/** An event of a vector; all members are one user's. */
const event = ({ at, type, id, member = 'a', session, metadata = {} }, place) => ({
  event_id: `00000000-0000-0000-0000-${String(id ?? place + 1_000).padStart(12, '0')}`,
  event_type: type,
  timestamp: at,
  anonymous_id: member,
  user_id: 'u',
  metadata,
  ...(session && { session_id: session }),
});

/** The visitor's clocks around a reading: the latest change that has come, with what was before. */
function clocks({ zone = [] }, read) {
  const known = zone.filter(([at]) => Date.parse(at) <= Date.parse(read.at)).slice(-2);
  if (known.length === 0) return {};
  const [[, utc_offset_minutes], next] = known;
  if (!next) return { utc_offset_minutes };
  return { utc_offset_minutes, changes_at: next[0], next_utc_offset_minutes: next[1] };
}
