/** The gate in front of capture: whose policy judges, and what waits for it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from './load.mjs';

describe('the gate', async () => {
  const { openGate } = await load('driver/filter.ts');
  const { openPassing } = await load('driver/passing.ts');
  const { judgesOf } = await load('filter/judges.ts');
  /** Judges by a list of types that are denied, and marks what it has seen. */
  const denying = (...types) => ({
    judge: (type, _, metadata) =>
      types.includes(type)
        ? { code: 'denied_type', message: '' }
        : { metadata: metadata && { ...metadata, seen: (metadata.seen ?? 0) + 1 } },
    strip: (value) => ({ ...value, stripped: true }),
  });
  const settle = () => new Promise((done) => setTimeout(done));
  const bytes = (text) => new TextEncoder().encode(text);

  /** A gate whose bundle policies are lists of types with spaces between them; `failing` are not loaded. */
  function open({ filter, awaits = false, failing = [] } = {}) {
    const heard = { opened: 0, failed: [], mistaken: [] };
    const gate = openGate({
      site: filter && judgesOf(filter),
      awaits,
      load: async () => ({
        async openJudges(policy, before) {
          const text = new TextDecoder().decode(policy);
          if (failing.includes(text)) throw new Error('away');
          const flaw = text === 'broken' ? ['filter_keeps_nothing', 'of a test'] : undefined;
          return judgesOf({ ...denying(...text.split(' ')), flaw }, before);
        },
      }),
      mistaken: (code) => heard.mistaken.push(code),
      opened() {
        heard.opened += 1;
      },
      failed: (code) => heard.failed.push(code),
    });
    return { gate: { ...gate, ...openPassing(gate, () => {}) }, heard };
  }

  it('is open where there is no policy', () => {
    const { gate } = open();
    assert.equal(gate.isWaiting(), false);
    assert.deepEqual(gate.pass('view', 'm', '{"a":1}'), { metadata: '{"a":1}' });
    assert.equal(gate.strip({ a: 1 }), '{"a":1}');
  });

  it('waits for what a bundle brings, without context, and not longer', async () => {
    const { gate, heard } = open({ awaits: true });
    assert.deepEqual([gate.isWaiting(), gate.strip({ a: 1 })], [true, '{}']);
    gate.take(bytes('secret'));
    gate.told();
    assert.deepEqual([gate.isWaiting(), heard.opened], [true, 0], 'what judges is being loaded');
    await settle();
    assert.deepEqual([gate.isWaiting(), heard.opened, gate.hasPolicy()], [false, 1, true]);
    assert.equal(gate.pass('secret', 'm', undefined), undefined);
    assert.deepEqual(gate.drops(), { denied_type: 1 });
    assert.equal(gate.strip({ a: 1 }), '{"a":1,"stripped":true}');
  });

  it('tells of a policy that keeps nothing, once for each bundle that brings it', async () => {
    const { gate, heard } = open({ awaits: true });
    for (const policy of ['broken', 'secret', 'broken']) {
      gate.take(bytes(policy));
      await settle();
      gate.told();
    }
    assert.deepEqual(heard.mistaken, ['filter_keeps_nothing', 'filter_keeps_nothing']);
    assert.equal(gate.isWaiting(), false);
  });

  it('opens once it is told that there is none', async () => {
    const { gate, heard } = open({ awaits: true });
    gate.told();
    await settle();
    gate.told();
    await settle();
    assert.deepEqual([gate.isWaiting(), heard.opened], [false, 1]);
  });

  it('lets through what both policies do, one after the other', async () => {
    const { gate } = open({ filter: denying('own') });
    gate.take(bytes('secret'));
    await settle();
    for (const type of ['own', 'secret']) assert.equal(gate.pass(type, 'm', undefined), undefined);
    assert.deepEqual(gate.pass('view', 'm', '{}'), { metadata: '{"seen":2}' });
    gate.take(new Uint8Array());
    await settle();
    assert.deepEqual(gate.pass('secret', 'm', '{}'), { metadata: '{"seen":1}' });
    assert.equal(gate.hasPolicy(), false);
  });

  it('judges by the newest of two that come at once', async () => {
    const { gate, heard } = open();
    gate.take(bytes('first'));
    gate.take(bytes('second'));
    await settle();
    assert.equal(heard.opened, 1);
    assert.deepEqual(gate.pass('first', 'm', undefined), { metadata: undefined });
    assert.equal(gate.pass('second', 'm', undefined), undefined);
  });

  it('stays closed where what judges does not load, and tries again with the next answer', async () => {
    const failing = ['secret'];
    const { gate, heard } = open({ failing });
    gate.take(bytes('secret'));
    await settle();
    assert.deepEqual([gate.isWaiting(), heard.failed, heard.opened], [true, ['wasm_unavailable'], 0]);
    failing.pop();
    gate.told();
    await settle();
    assert.deepEqual([gate.isWaiting(), heard.opened], [false, 1]);
    assert.equal(gate.pass('secret', 'm', undefined), undefined);
  });
});
