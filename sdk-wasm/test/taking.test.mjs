/** What other page loads have stored, taken back beside a visitor who changes meanwhile. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IDBKeyRange } from 'fake-indexeddb';
import { load } from './load.mjs';

globalThis.IDBKeyRange = IDBKeyRange;
const LANE = '0198c000-0000-7000-8000-000000000001';
const ID = '0198c000-0000-7000-8000-000000000002';

describe('what a page has left that is gone', async () => {
  const { openTaking } = await load('driver/taking.ts');
  const event = {
    ...{ id: ID, type: 'view', ms: 1, session: ID, member: 'first', lane: LANE, seq: 1, priority: 1 },
    isSettled: false,
  };
  const call = ['track', { id: ID, type: 'view', ms: 1, session: ID, priority: 1 }];

  /** Takes a lane in while something happens to the visitor, and to what is stored. */
  async function take(stored, happens) {
    const state = { member: 'first', stored, events: [], calls: [] };
    const driving = {
      core: ([, form], ...values) => form.startsWith('bb') && state.events.push(values),
      member: () => state.member,
      input: (act) => act(),
    };
    let reads = 0;
    const entries = {
      async read() {
        const found = state.stored;
        state.stored = [];
        reads += 1;
        if (reads === 2) happens(state);
        // There is one answer for both kinds of keys.
        if (reads % 2) return found;
        state.stored = state.kept ?? [];
        return [];
      },
      delete() {},
    };
    const host = { started: (calls) => state.calls.push(...calls) };
    const lanes = { owns: () => true };
    await openTaking({ driving, host, entries, waiting: new Map(), lanes, unreadable() {} }).takeIn(LANE);
    return [state.events.length, state.calls.length];
  }
  const both = [
    [[LANE, 1], event],
    [[LANE, 'call', 1], call],
  ];

  it('is delivered, events and calls', async () => {
    assert.deepEqual(await take(both, () => {}), [1, 1]);
  });

  it('is of nobody where the visitor is forgotten while it is read', async () => {
    const forget = (state) => {
      state.member = 'next';
    };
    assert.deepEqual(await take(both, forget), [0, 0]);
  });

  it('is delivered once where another visitor comes while it is read', async () => {
    const reset = (state) => {
      state.member = 'next';
      state.kept = both;
    };
    assert.deepEqual(await take(both, reset), [1, 1]);
  });
});
