/** The recorded shop sessions by member: states that are saved and opened anew, and halves that are combined. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as bundles from './bundle.mjs';
import { Core } from './core.mjs';
import { Processor } from './processor.mjs';
import * as shop from './shop.mjs';

const skip = bundles.missing || shop.missing;
const BY_CATEGORY = { 1: 3_121, 2: 2_717, 3: 2_483, 4: 2_132 };
const VISITS = 12_147;
const EVENTS = 83_853;
const CENTS = 366_349_700;

/** Absorbs events and gives the changes. */
function absorb(processor, member, events) {
  const answer = processor.absorb(
    member,
    events.map((event) => ({ event, proven: true })),
  );
  assert.deepEqual([answer.errors, answer.accepted], [[], events.length]);
  return answer.changes;
}

function countByKey(firings) {
  const counts = {};
  for (const { key } of firings) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

test('members that are saved and opened anew in the middle fire the same', { skip }, (t) => {
  const bundle = bundles.compiled(shop.RULES);
  const through = new Processor(new Core(), bundle);
  const halved = new Processor(new Core(), bundle);
  const [fired, firedAnew] = [[], []];
  let [events, cents] = [0, 0];
  const visits = shop.visits();
  for (const visit of visits) {
    const name = visit[0].anonymous_id;
    const [member, profile] = [through.member(name), through.profile()];
    fired.push(...through.combine(profile, absorb(through, member, visit)).firings);
    const view = through.view(profile);
    events += view.events;
    cents += view.signals.price_cents;
    const throughSaved = [member.close(), profile.close()];
    let saved = [];
    const middle = visit.length >> 1;
    for (const half of [visit.slice(0, middle), visit.slice(middle)]) {
      const [again, anew] = [halved.member(name, saved[0]), halved.profile(saved[1])];
      firedAnew.push(...halved.combine(anew, absorb(halved, again, half)).firings);
      saved = [again.close(), anew.close()];
    }
    assert.deepEqual(saved, throughSaved, name);
  }
  t.diagnostic(`${fired.length} firings of ${events} events by ${visits.length} visitors`);
  assert.deepEqual([visits.length, events, cents], [VISITS, EVENTS, CENTS]);
  assert.deepEqual(countByKey(fired), BY_CATEGORY);
  assert.deepEqual(firedAnew, fired);
});

test('two halves that were absorbed apart are combined into the same', { skip }, (t) => {
  const bundle = bundles.compiled(shop.RULES);
  const apart = [new Processor(new Core(), bundle), new Processor(new Core(), bundle)];
  const combiner = new Processor(new Core(), bundle);
  const fired = [];
  let cents = 0;
  for (const [number, visit] of shop.visits().entries()) {
    const turns = [];
    for (const [side, processor] of apart.entries()) {
      // Every other click comes from another browser, in which the same user has logged in.
      const own = visit.filter((_, at) => at % 2 === side);
      if (own.length === 0) continue;
      const name = `${own[0].anonymous_id}/${side}`;
      const member = processor.member(name);
      const user = { anonymous_id: name, user_id: `user-${number}` };
      const changes = absorb(
        processor,
        member,
        own.map((event) => ({ ...event, ...user })),
      );
      member.close();
      // As the log has them: by time.
      for (const [at, change] of changes.entries()) turns[2 * at + side] = change;
    }
    const profile = combiner.profile();
    const answer = combiner.combine(profile, turns);
    assert.deepEqual([answer.errors, answer.accepted], [[], visit.length]);
    fired.push(...answer.firings);
    cents += combiner.view(profile).signals.price_cents;
    profile.close();
  }
  t.diagnostic(`${fired.length} firings, ${cents} cents`);
  assert.deepEqual([countByKey(fired), cents], [BY_CATEGORY, CENTS]);
});
