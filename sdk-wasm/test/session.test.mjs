/** Sessions: idle time, length, tabs. */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { load } from './load.mjs';

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_000_000;
/** An id, younger than those that begin in the tests. */
const uuid = (first) => `${first}fffffff-0000-7000-8000-000000000000`;

/** What a session needs of localStorage. */
function memory() {
  const entries = new Map();
  return {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
  };
}

describe('a session', async () => {
  const { openSession } = await load('session.ts');
  const { sessionAt } = await load('session-state.ts');

  it('lasts while less than 30 minutes pass between events', () => {
    const session = openSession(memory(), 's');
    const first = session.at(START_MS);
    assert.equal(session.at(START_MS + 29 * MINUTE_MS), first);
    assert.equal(session.at(START_MS + 58 * MINUTE_MS), first);
    assert.notEqual(session.at(START_MS + 88 * MINUTE_MS), first);
    session.flush();
  });

  it('ends after 24 hours, however busy', () => {
    const session = openSession(memory(), 's');
    const ids = Array.from({ length: 100 }, (_, index) => session.at(START_MS + index * 20 * MINUTE_MS));
    assert.equal(new Set(ids.slice(0, 72)).size, 1);
    assert.notEqual(ids[72], ids[71]);
    session.flush();
  });

  it('is shared by tabs through what they store', () => {
    const storage = memory();
    const first = openSession(storage, 's');
    const id = first.at(START_MS);
    first.flush();
    assert.equal(openSession(storage, 's').at(START_MS + MINUTE_MS), id);
  });

  it('goes on where another tab has kept it alive', () => {
    const storage = memory();
    const [idle, busy] = [openSession(storage, 's'), openSession(storage, 's')];
    const id = idle.at(START_MS);
    idle.flush();
    for (let minute = 0; minute <= 60; minute += 20) assert.equal(busy.at(START_MS + minute * MINUTE_MS), id);
    busy.flush();
    assert.equal(idle.at(START_MS + 61 * MINUTE_MS), id);
    idle.flush();
  });

  it('is the older one when two tabs begin side by side', () => {
    const [first, second] = [memory(), memory()].map((storage) => [openSession(storage, 's'), storage]);
    const earlier = `${uuid(0)} ${START_MS} ${START_MS}`;
    for (const [session] of [first, second]) session.follow(earlier, START_MS, true);
    const begin = START_MS + 40 * MINUTE_MS;
    const older = first[0].at(begin);
    const newer = second[0].at(begin + 1);
    assert.notEqual(older, newer);
    first[0].flush();
    second[0].flush();
    second[0].follow(first[1].getItem('s'), begin + 2);
    first[0].follow(second[1].getItem('s'), begin + 2);
    assert.deepEqual([first[0].at(begin + 3), second[0].at(begin + 3)], [older, older]);
    first[0].flush();
    second[0].flush();
  });

  it('is the one that pages which begin side by side have agreed on, even if it is the newer one', () => {
    mock.timers.enable({ apis: ['Date', 'setTimeout'], now: START_MS });
    const storage = memory();
    const session = openSession(storage, 's');
    const older = session.at(START_MS);
    mock.timers.tick(5_000);
    assert.equal(storage.getItem('s'), null, 'nobody is told before they have agreed');
    const agreed = `${uuid(9)} ${START_MS + 1} ${START_MS + 2}`;
    session.follow(agreed, START_MS + 5_000, true);
    assert.equal(storage.getItem('s').split(' ')[0], uuid(9), 'others may ask at once');
    assert.equal(session.at(START_MS + 5_001), uuid(9));
    session.follow(`${older} ${START_MS} ${START_MS}`, START_MS + 5_002);
    assert.equal(session.at(START_MS + 5_003), older, 'of those that begin later the older one stays');
    session.flush();
    mock.timers.reset();
  });

  it('is over where a clock that was ahead has begun it, or kept it alive', () => {
    mock.timers.enable({ apis: ['Date'], now: START_MS });
    const id = '0197f7a0-0000-7000-8000-00000000abcd';
    for (const [ahead, lasts] of [
      [[-MINUTE_MS, 59_000], true],
      [[59_000, 59_000], true],
      [[-MINUTE_MS, 60_000], false],
      [[25 * 60 * MINUTE_MS, 25 * 60 * MINUTE_MS], false],
      [[5_259_600 * MINUTE_MS, 5_259_600 * MINUTE_MS], false],
      // Nobody writes a session that has begun later than it was last alive.
      [[60 * MINUTE_MS, 0], false],
    ]) {
      const text = [id, ...ahead.map((ms) => START_MS + ms)].join(' ');
      const storage = memory();
      storage.setItem('s', text);
      const session = openSession(storage, 's');
      assert.equal(session.at(START_MS) === id, lasts, text);
      session.flush();
      assert.equal(storage.getItem('s').startsWith(id), lasts, text);
      assert.equal(sessionAt(text, START_MS), lasts ? id : undefined);
      const other = openSession(memory(), 's');
      other.follow(text, START_MS);
      assert.equal(other.living(START_MS), lasts ? id : undefined);
    }
    mock.timers.reset();
  });

  it('ends when the clock is set back by a minute or more, and is not ended by a call that has waited', () => {
    mock.timers.enable({ apis: ['Date'], now: START_MS });
    const session = openSession(memory(), 's');
    const first = session.at(START_MS);
    assert.equal(session.at(START_MS - 20 * MINUTE_MS), first);
    mock.timers.setTime(START_MS - 59_000);
    assert.equal(session.at(START_MS - 59_000), first);
    mock.timers.setTime(START_MS - MINUTE_MS);
    assert.notEqual(session.at(START_MS - MINUTE_MS), first);
    session.flush();
    mock.timers.reset();
  });

  it('begins anew on reset, and where what is stored is broken', () => {
    const storage = memory();
    storage.setItem('s', 'nonsense 1 x');
    const session = openSession(storage, 's');
    const id = session.at(START_MS);
    assert.equal(id.length, 36);
    assert.notEqual(session.reset(START_MS + 1), id);
  });
});
