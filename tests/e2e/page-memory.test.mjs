/** The linear memory of the page's core: every page of a site holds it for as long as it is open. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { load } from '../../sdk-wasm/test/load.mjs';

const PAGE = 65_536;
/** As many prerequisites in a row, and conditions within each other, as a rule file can have. */
const PREREQUISITES = 63;
const CONDITIONS = 11;
const folder = mkdtempSync(join(tmpdir(), 'attune-memory-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const { openCore } = await load('core/core.ts');
const operations = await load('core/operations.ts');

test('a page that has started holds no more than four pages of linear memory', async () => {
  const { memory, core } = await start();
  core(operations.BUNDLE, compile({ signals: [], rules: [] }));
  core(operations.CONTEXT, 100, { page: { path: '/' } });
  core(operations.TRACK, id(3), 'page_view', Date.now(), id(2), 1, 300, [20, { category: 'shoes' }]);
  assert.ok(memory.buffer.byteLength <= 4 * PAGE, `${memory.buffer.byteLength} bytes`);
});

test('the deepest rules and values leave more of the stack unused than they use', async () => {
  const { memory, core, failures, decided, heapBase } = await start();
  core(operations.BUNDLE, compile(deepRules()));
  const metadata = { deep: JSON.parse(`${'['.repeat(30)}1${']'.repeat(30)}`), n: 2 };
  core(operations.CONTEXT, 100, { a: 'x', ...metadata });
  for (let n = 0; n < 600; n += 1) {
    core(operations.TRACK, id(10 + n), 'x', Date.now(), id(2), 1, 300, [100, { ...metadata, k: `k${n}` }]);
  }
  core(operations.FAREWELL, true);
  assert.deepEqual([failures, decided], [[], ['slot']]);
  // The stack stands first in memory and grows towards its beginning; what was never used is zero.
  const unused = new Uint8Array(memory.buffer).findIndex((byte) => byte !== 0);
  assert.ok(unused > heapBase - unused, `${heapBase - unused} bytes used, ${unused} left`);
});

async function start() {
  const file = join(import.meta.dirname, '../../sdk-wasm/dist/attune_bg.wasm');
  const { exports } = (await WebAssembly.instantiate(readFileSync(file))).instance;
  const [failures, decided] = [[], []];
  const effects = Array.from({ length: 24 }, () => () => {});
  effects[6] = (slot) => decided.push(slot);
  effects[14] = (code) => failures.push(code);
  const [core] = openCore(exports, effects);
  core(operations.START, 'member', id(1), id(2));
  return { memory: exports.memory, core, failures, decided, heapBase: exports.__heap_base.value };
}

function compile(rules) {
  const { ATTUNE_BINARY } = process.env;
  if (!ATTUNE_BINARY)
    throw new Error('ATTUNE_BINARY is not set; `cargo xtask test` builds the collector and sets it');
  const [source, bundle] = [join(folder, 'rules'), join(folder, 'bundle')];
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'rules.json'), JSON.stringify(rules));
  execFileSync(ATTUNE_BINARY, ['bundle', 'compile', source, '-o', bundle]);
  return new Uint8Array(readFileSync(bundle));
}

function deepRules() {
  let when = { 'context.a': { $gte: 'a' } };
  for (let depth = 0; depth < CONDITIONS; depth += 1) {
    when = depth % 2 ? { $and: [when, { 'context.n': 2 }] } : { $or: [{ 'context.n': 3 }, when] };
  }
  const variations = [
    { key: 'a', weight: 0.5 },
    { key: 'b', weight: 0.5 },
  ];
  const experiments = Array.from({ length: PREREQUISITES }, (_, place) => {
    const prerequisites = place ? [{ experiment: `e${place - 1}`, variations: ['a', 'b'] }] : undefined;
    return { id: `e${place}`, variations, prerequisites, when };
  });
  const inLast = { $or: [{ [`experiments.e${PREREQUISITES - 1}`]: 'a' }, when] };
  const actions = [{ kind: 'variable', name: 'deep', value: true }];
  return {
    signals: [{ name: 's', on: '*', by: 'metadata.k', aggregate: 'count', window: '5m' }],
    experiments,
    rules: [{ id: 'deep', slot: 'slot', when: inLast, actions }],
  };
}

function id(number) {
  return `01970000-${number.toString(16).padStart(4, '0')}-7000-8000-000000000000`;
}
