/** What waits for the background until it is there. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from './load.mjs';

describe('what is left to the background', async () => {
  const { openBehind } = await load('driver/behind.ts');
  const turn = () => new Promise((done) => setTimeout(done));
  function open(background = { name: 'background' }) {
    const done = [];
    let loads = 0;
    const behind = openBehind(
      async () => {
        loads += 1;
        return background;
      },
      () => done.push('begun'),
    );
    const note = (act) => behind.do(({ name }) => done.push(`${name} ${act}`));
    return { behind, done, note, loads: () => loads };
  }

  it('waits until that is there, and is done in order from then on', async () => {
    const { behind, done, note, loads } = open();
    note(1);
    note(2);
    behind.load();
    behind.load();
    note(3);
    assert.deepEqual([done, behind.now()], [[], undefined]);
    await turn();
    note(4);
    assert.deepEqual(done, ['begun', ...[1, 2, 3, 4].map((act) => `background ${act}`)]);
    assert.deepEqual([loads(), behind.now()], [1, { name: 'background' }]);
  });

  it('is given up from the oldest on where it is more than 1,000 acts', async () => {
    const { behind, done, note } = open();
    for (let act = 1; act <= 1_002; act += 1) note(act);
    behind.load();
    await turn();
    assert.deepEqual([done.length, done[1], done.at(-1)], [1_001, 'background 3', 'background 1002']);
  });

  it('is not done where the client has ended before', async () => {
    const { behind, done, note } = open(null);
    note(1);
    behind.load();
    await turn();
    assert.deepEqual([done, behind.now() ?? undefined], [[], undefined]);
  });
});
