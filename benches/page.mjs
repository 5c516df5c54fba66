/**
 * Measures what a page pays for an SDK in Chromium, over cold loads: what scripts cost on a slow device, its longest task,
 * what is held at rest, and when WebAssembly is ready; Attune by its script tag, beside two other SDKs.
 *
 * `--loads <n>` loads each page as often; `--short` loads a few pages of Attune alone. No goal fails a run, since
 * figures differ from machine to machine; a figure that is missing does.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser } from '../tests/e2e/rig/browser.mjs';
import { loadAgain, loadAndWeigh, loadSlowly } from './page/load.mjs';
import { attune, loader, none, PEERS } from './page/subjects.mjs';

const LOADS = 15;
const SHORT_LOADS = 3;
/** What Attune is to reach. */
const GOALS = {
  script_ms: 6,
  longest_task_ms: 50,
  at_rest_bytes: 400 * 1024,
  ready_ms: 15,
  first_decision_ms: 1,
};

const root = join(import.meta.dirname, '..');
process.env.ATTUNE_BINARY ??= join(root, 'target/release/attune');
process.env.CHROMIUM ??= '/usr/bin/chromium';

const { values: options } = parseArgs({
  options: { short: { type: 'boolean', default: false }, loads: { type: 'string' } },
});
const loads = Number(options.loads ?? (options.short ? SHORT_LOADS : LOADS));
if (!Number.isInteger(loads) || loads < 1) throw new Error('--loads must be a whole number from 1 on');

const subjects = [none, attune, ...(options.short ? [] : PEERS)];
const browser = await openBrowser();
try {
  for (const subject of [...subjects, loader]) subject.opened = await subject.open();
  const [slow, weights, painted, fast] = [new Map(), new Map(), new Map(), []];
  // In turn, so that whatever else the machine does falls on all alike.
  for (let load = 0; load < loads; load += 1) {
    for (const subject of subjects) {
      const { url } = subject.opened;
      add(slow, subject.name, await loadSlowly(browser, url));
      add(weights, subject.name, await loadAndWeigh(browser, url));
    }
    fast.push(await loadSlowly(browser, attune.opened.url, 1));
    for (const rate of [4, 1]) add(painted, rate, await loadAgain(browser, loader.opened.url, rate));
  }
  for (const { name, version } of subjects) {
    print({
      measure: 'script',
      sdk: `${name} ${version}`.trim(),
      cpu_throttle: 4,
      ...scripts(slow.get(name)),
    });
  }
  const empty = median(weights.get('none').map(({ heap_bytes }) => heap_bytes));
  for (const { name, version } of subjects.slice(1)) {
    print({ measure: 'at rest', sdk: `${name} ${version}`.trim(), ...atRest(weights.get(name), empty) });
  }
  print({ measure: 'ready', sdk: 'attune', cpu_throttle: 4, ...readiness(slow.get('attune')) });
  print({ measure: 'ready', sdk: 'attune', cpu_throttle: 1, ...readiness(fast) });
  for (const rate of [4, 1]) {
    print({
      measure: 'first decision from the stored set',
      cpu_throttle: rate,
      ...firstDecision(painted.get(rate)),
    });
  }
} finally {
  await browser.close();
  for (const { opened } of [...subjects, loader]) await opened?.close();
}

function scripts(found) {
  const script = middle(found, 'script_ms');
  const longest = middle(found, 'longest_task_ms');
  return {
    loads: found.length,
    script_ms: script,
    script_until_tracked_ms: middle(found, 'script_until_tracked_ms'),
    goal_ms: GOALS.script_ms,
    met: script <= GOALS.script_ms,
    longest_task_ms: longest,
    longest_script_task_ms: middle(found, 'longest_script_task_ms'),
    long_tasks: median(found.map(({ long_tasks }) => long_tasks)),
    longest_task_goal_ms: GOALS.longest_task_ms,
    longest_task_met: longest <= GOALS.longest_task_ms,
  };
}

function atRest(found, empty) {
  const heap = median(found.map(({ heap_bytes }) => heap_bytes)) - empty;
  const wasm = median(found.map(({ wasm_bytes }) => wasm_bytes));
  const goal = GOALS.at_rest_bytes;
  return {
    loads: found.length,
    heap_bytes: heap,
    wasm_bytes: wasm,
    goal_bytes: goal,
    met: heap + wasm <= goal,
  };
}

function readiness(found) {
  const ready = middle(found, 'ready_ms');
  return {
    loads: found.length,
    ready_ms: ready,
    wasm_network_ms: middle(found, 'wasm_network_ms'),
    bundle_network_ms: middle(found, 'bundle_network_ms'),
    goal_ms: GOALS.ready_ms,
    met: ready <= GOALS.ready_ms,
  };
}

function firstDecision(found) {
  const decided = middle(found, 'decided_after_start_ms');
  return {
    loads: found.length,
    loader_run_ms: middle(found, 'loader_run_ms'),
    decided_after_start_ms: decided,
    decided_after_end_ms: middle(found, 'decided_after_end_ms'),
    goal_ms: GOALS.first_decision_ms,
    met: decided <= GOALS.first_decision_ms,
  };
}

function add(all, name, figures) {
  all.set(name, [...(all.get(name) ?? []), figures]);
}

function middle(found, name) {
  return Math.round(10 * median(found.map((figures) => figures[name]))) / 10;
}

function median(values) {
  if (values.some((value) => !Number.isFinite(value))) throw new Error(`a load has no figure: ${values}`);
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function print(line) {
  console.log(JSON.stringify({ bench: 'page', ...line }));
}
