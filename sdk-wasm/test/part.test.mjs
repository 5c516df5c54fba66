/** Parts that are loaded when they are needed: once, and again where that fails. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { load } from './load.mjs';

describe('a part', async () => {
  const { openPart } = await load('part.ts');
  const { addEventListener } = globalThis;
  let failures;
  let attempts;
  let told;
  let ended;
  let target;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    [failures, attempts, told] = [0, [], []];
    ended = new AbortController();
    target = new EventTarget();
    globalThis.addEventListener = target.addEventListener.bind(target);
  });
  afterEach(() => {
    mock.timers.reset();
    Object.assign(globalThis, { addEventListener });
  });
  const turn = async () => {
    for (let count = 0; count < 10; count += 1) await Promise.resolve();
  };
  const open = () =>
    openPart(
      async (attempt) => {
        attempts.push(attempt);
        if (failures-- > 0) throw new Error(`failure ${attempt}`);
        return 'part';
      },
      ended.signal,
      (cause) => told.push(cause.message),
    );

  it('is loaded once, when it is asked for', async () => {
    const part = open();
    assert.deepEqual(attempts, []);
    assert.deepEqual(await Promise.all([part(), part()]), ['part', 'part']);
    assert.deepEqual(attempts, [0]);
  });

  it('is tried again after pauses that grow, and its failure told once', async () => {
    failures = 3;
    const part = open()();
    for (const [pauseMs, tries] of [
      [999, [0]],
      [1, [0, 1]],
      [3_999, [0, 1]],
      [1, [0, 1, 2]],
      [16_000, [0, 1, 2, 3]],
    ]) {
      await turn();
      mock.timers.tick(pauseMs);
      await turn();
      assert.deepEqual(attempts, tries);
    }
    assert.equal(await part, 'part');
    assert.deepEqual(told, ['failure 0']);
  });

  it('is tried again when the browser is online again', async () => {
    failures = 1;
    const part = open()();
    await turn();
    target.dispatchEvent(new Event('online'));
    assert.equal(await part, 'part');
  });

  it('is not tried again once it is not wanted any more', async () => {
    failures = 1;
    open()();
    await turn();
    ended.abort();
    mock.timers.tick(60_000);
    target.dispatchEvent(new Event('online'));
    await turn();
    assert.deepEqual(attempts, [0]);
  });

  it('is not tried again either where it fails only when it is not wanted any more', async () => {
    failures = 1;
    open()();
    ended.abort();
    await turn();
    mock.timers.tick(60_000);
    await turn();
    assert.deepEqual(attempts, [0]);
  });
});
