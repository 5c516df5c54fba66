/** The real libraries of servers against a real collector: each thing that they send counts once. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Collector, WRITE_KEY } from '../e2e/rig/collector.mjs';
import { openFront } from './rig/front.mjs';
import { RULES } from './rig/rules.mjs';
import { LIBRARIES, sendWith } from './rig/run.mjs';

/** Calls of each kind besides the visits: identify, page, group, alias, track. */
const CALLS = 5;

for (const library of Object.keys(LIBRARIES)) {
  describe(library, () => {
    let collector;

    before(async () => {
      collector = await Collector.start(RULES);
    });

    after(() => collector?.remove());

    test('delivers every call, and a burst of 250', async () => {
      await sendWith(library, collector.url, WRITE_KEY, 250);
      const { accepted, duplicates, profiles, events, signals } = await collector.summary();
      assert.deepEqual([accepted, duplicates, profiles, events], [CALLS + 250, 0, 2, CALLS + 250]);
      const expected = { visits: 250, orders: 1, pages: 1, groups: 1, aliases: 1, spent: 9.5 };
      assert.deepEqual(signals, expected);
      const user = await collector.user('user_1');
      assert.deepEqual(user.traits, { address: { city: 'Oslo' }, plan: 'gold' });
      assert.deepEqual([user.members, user.events], [['user:user_1'], CALLS]);
      const browser = await collector.profile('browser_1');
      assert.deepEqual([browser.events, browser.signals.visits], [250, 250]);
      const times = collector.dump().map((line) => Date.parse(JSON.parse(line).timestamp));
      assert.ok(times.every((time) => Math.abs(time - Date.now()) < 600_000));
    });

    test('sends again what was refused or whose answer was lost, and it counts once', async () => {
      const earlier = await collector.summary();
      // RudderStack's library for Node tries four times.
      const front = await openFront(collector.url, ['lose', 'refuse', 'lose']);
      try {
        await sendWith(library, front.url, WRITE_KEY, 120);
      } finally {
        await front.close();
      }
      const { accepted, duplicates, events, signals } = await collector.summary();
      assert.equal(front.lost, 2);
      assert.ok(duplicates > 0, 'what was taken has come again');
      assert.equal(accepted - earlier.accepted, CALLS + 120);
      assert.equal(events - earlier.events, CALLS + 120);
      assert.deepEqual([signals.visits, signals.spent], [370, 19]);
    });

    test('says that it has given up where the key is unknown', async () => {
      await assert.rejects(
        sendWith(library, collector.url, 'another-key', 1),
        /Unauthorized|write_key_unknown/,
      );
    });
  });
}
