/**
 * Measures one call of `track()` in Chromium, from the call to its return: signals, decisions and DOM included. Beside it,
 * from the same run, what the goal leaves out: turning the metadata into text, and the write that the call has queued.
 *
 * `--against <folder>` measures another build of `sdk-wasm/dist` in turn with this one, and prints their ratio.
 */

import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser, openPage } from '../tests/e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../tests/e2e/rig/collector.mjs';
import { listen } from '../tests/e2e/rig/listen.mjs';
import { packagePage } from '../tests/e2e/rig/site.mjs';
import { RULES, rules, SIGNALS } from './page/rules.mjs';

/** What a call may take at the median, without the text of its metadata and without the write. */
const GOAL_US = 20;
const WARM_UP_CALLS = 500;
const ROUNDS = 10;
const CALLS_A_ROUND = 500;
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
/** An isolated page has a clock of 5 µs instead of 100 µs. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const { values: options } = parseArgs({ options: { against: { type: 'string' } } });
const builds = [{ build: 'this', folder: join(import.meta.dirname, '../sdk-wasm/dist') }];
if (options.against) builds.push({ build: 'against', folder: options.against });

const collector = await Collector.start(rules());
const browser = await openBrowser();
try {
  for (const build of builds) {
    build.site = await serveBuild(build.folder);
    build.page = await openPage(await browser.newContext(), build.site.url);
    build.took = [];
    await build.page.evaluate(callMany, { calls: WARM_UP_CALLS });
  }
  // In turn, so that whatever else the machine does falls on all alike.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { page, took } of builds)
      took.push(...(await page.evaluate(callMany, { calls: CALLS_A_ROUND })));
  }
  for (const build of builds) print(build, await build.page.evaluate(measureParts, { calls: CALLS_A_ROUND }));
  const [ours, other] = builds;
  if (other) {
    const ratio = (figure) => rounded(figure(ours.took) / figure(other.took), 100);
    const ratios = { mean_ratio: ratio(meanOf), p50_of_ten_ratio: ratio((took) => median(tens(took))) };
    console.log(JSON.stringify({ bench: 'track', this_to_against: ratios }));
  }
} finally {
  await browser.close();
  for (const { site } of builds) await site?.close();
  await collector.remove();
}

function print({ build, took }, parts) {
  const sorted = took.toSorted((a, b) => a - b);
  const p50OfTen = median(tens(took));
  const own = rounded(p50OfTen - parts.stringify_us);
  const line = {
    bench: 'track',
    build,
    calls: took.length,
    signals: SIGNALS,
    rules: RULES,
    mean_us: rounded(meanOf(took)),
    p50_us: rounded(sorted[sorted.length >> 1]),
    p99_us: rounded(sorted[Math.floor(0.99 * sorted.length)]),
    // The clock is coarse: ten calls in a row, each its tenth.
    p50_of_ten_us: rounded(p50OfTen),
    ...parts,
    without_stringify_and_write_us: own,
    goal_us: GOAL_US,
    met: own <= GOAL_US,
  };
  console.log(JSON.stringify(line));
}

/** Serves one build beside a page that uses it. */
function serveBuild(folder) {
  return listen((request, response) => {
    const path = new URL(request.url, 'http://site').pathname;
    const type = path === '/' ? 'text/html; charset=utf-8' : TYPES[extname(path)];
    if (!type) return response.writeHead(404).end();
    const body =
      path === '/' ? packagePage(collector.url, WRITE_KEY) : readFileSync(join(folder, basename(path)));
    response.writeHead(200, { 'content-type': type, ...ISOLATED }).end(body);
  });
}

/**
 * Runs in the page; gives microseconds by call. Pauses now and then, as visitors do, so that delivery has its share of the
 * time.
 */
async function callMany({ calls }) {
  if (!self.crossOriginIsolated) throw new Error('the page is not isolated: its clock is too coarse');
  const took = [];
  for (let call = 0; call < calls; call += 1) {
    const started = performance.now();
    window.attune.track('page_view', { category: `c${call % 7}`, product_id: `product_${call % 997}` });
    took.push(1_000 * (performance.now() - started));
    if (call % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return took;
}

/** Runs in the page: what the text of the metadata costs, and the write, which comes after the call. */
async function measureParts({ calls }) {
  const rows = [];
  let length = 0;
  for (let row = 0; row < 100; row += 1) {
    const started = performance.now();
    for (let call = 0; call < 100; call += 1) {
      length += JSON.stringify({ category: `c${call % 7}`, product_id: `product_${call % 997}` }).length;
    }
    rows.push((1_000 * (performance.now() - started)) / 100);
  }
  if (length === 0) throw new Error('nothing has been turned into text');
  rows.sort((a, b) => a - b);

  let isInCall = false;
  let [within, behind] = [0, 0];
  const watched = [
    [IDBDatabase.prototype, 'transaction'],
    [IDBTransaction.prototype, 'commit'],
    [IDBObjectStore.prototype, 'put'],
    [IDBObjectStore.prototype, 'delete'],
  ];
  const undo = watched.map(([owner, name]) => {
    const original = owner[name];
    owner[name] = function (...values) {
      const started = performance.now();
      try {
        return original.apply(this, values);
      } finally {
        const took = performance.now() - started;
        if (isInCall) within += took;
        else behind += took;
      }
    };
    return () => {
      owner[name] = original;
    };
  });
  for (let call = 0; call < calls; call += 1) {
    isInCall = true;
    window.attune.track('page_view', { category: `c${call % 7}`, product_id: `product_${call % 997}` });
    isInCall = false;
    if (call % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // Whatever has been queued is written within 50 ms.
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const restore of undo) restore();
  const each = (ms) => Math.round((10_000 * ms) / calls) / 10;
  return {
    stringify_us: Math.round(100 * rows[rows.length >> 1]) / 100,
    write_within_call_us: each(within),
    write_after_call_us: each(behind),
  };
}

/** The mean of every ten calls in a row. */
function tens(took) {
  return Array.from({ length: took.length / 10 }, (_, ten) => meanOf(took.slice(10 * ten, 10 * ten + 10)));
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function rounded(value, parts = 10) {
  return Math.round(parts * value) / parts;
}
