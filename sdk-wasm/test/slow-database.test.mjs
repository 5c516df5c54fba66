/** A database that opens too late, as where another tab that is busy holds it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage } from './page.mjs';

describe('a page', () => {
  it('goes on without what is stored where the database does not answer, and says so', async (t) => {
    const page = openPage();
    globalThis.indexedDB = { open: () => ({}) };
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const codes = [];
    const { init } = await load('index.ts');
    const attune = init({ writeKey: 'demo', collector: '/' });
    attune.onError((error) => codes.push(error.code));
    attune.track('view');
    const ready = page.load('track');
    for (let turn = 0; turn < 100; turn += 1) {
      await new Promise((done) => setImmediate(done));
      t.mock.timers.tick(100);
    }
    assert.equal((await ready).of('track').length, 1);
    assert.deepEqual(codes, ['storage_slow']);
    await attune.shutdown();
    closePage();
  });
});
