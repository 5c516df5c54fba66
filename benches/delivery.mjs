/**
 * Measures which of the tracked events arrive, and how often they count, when pages, browsers, networks and collectors
 * fail: Attune beside four other SDKs, in Chromium.
 *
 * `--only <sdk>` and `--scenarios a,b` run a part, `--short` the quick scenarios of Attune alone; `--trace` tells every
 * request on stderr.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isToothless, missed } from './delivery/goals.mjs';
import { SCENARIOS } from './delivery/scenarios.mjs';
import { SDKS } from './delivery/sdks.mjs';
import { Stage } from './delivery/stage.mjs';
import { tableOf } from './delivery/table.mjs';

/** No run takes longer: something hangs. */
const RUN_LIMIT_MS = 120_000;

const root = join(import.meta.dirname, '..');
process.env.ATTUNE_SDK ??= join(root, 'sdk-wasm/dist/script');
process.env.ATTUNE_BINARY ??= join(root, 'target/release/attune');
process.env.CHROMIUM ??= '/usr/bin/chromium';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    scenarios: { type: 'string' },
    short: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
const only = options.only ?? (options.short ? 'attune' : undefined);
const sdks = chosen(SDKS, only);
const scenarios = chosen(SCENARIOS, options.scenarios).filter(({ isQuick }) => isQuick || !options.short);

const lines = [];
const failures = [];
/** The run in progress. */
let current;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => Promise.resolve(current?.close()).finally(() => process.exit(1)));
}
for (const scenario of scenarios) {
  for (const sdk of sdks) {
    const line = {
      bench: 'delivery',
      sdk: sdk.name,
      scenario: scenario.name,
      ...(await measure(sdk, scenario)),
    };
    if (sdk.isOurs) {
      const reasons = missed(scenario, line);
      line.met = reasons.length === 0;
      if (!line.met) failures.push(`attune misses its goal in ${scenario.name}: ${reasons.join(', ')}`);
    }
    lines.push(line);
    console.log(JSON.stringify(line));
  }
}
if (!options.scenarios && isToothless(lines))
  failures.push('no other SDK has lost an event: the faults are none');
const titles = Object.fromEntries(SDKS.map(({ name, version }) => [name, `${name} ${version}`.trim()]));
console.error(tableOf(lines, titles));
for (const failure of failures) console.error(failure);
// What a run that hung has left behind must not keep the process.
process.exit(failures.length > 0 ? 1 : 0);

/** Those that a comma-separated list names; all without one. */
function chosen(all, names) {
  if (!names) return all;
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`${name} is none of ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}

/** Runs one scenario with one SDK; an error is part of the line. */
async function measure(sdk, scenario) {
  let stage;
  let limit;
  const late = new Promise((_, reject) => {
    limit = setTimeout(() => reject(new Error(`not over after ${RUN_LIMIT_MS} ms`)), RUN_LIMIT_MS);
  });
  const run = async () => {
    stage = await Stage.open(sdk, scenario);
    current = stage;
    if (scenario.needsSnippet && !stage.hasSnippet) return { skipped: 'no queueing snippet' };
    const early = await scenario.run(stage);
    return { ...(await stage.settle()), ...early };
  };
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return { tracked: scenario.tracked, delivered: 0, double_counted: 0, error: error.stack };
  } finally {
    clearTimeout(limit);
    if (options.trace && stage) await trace(sdk, scenario, stage);
    await stage?.close();
  }
}

/** Tells what happened when. */
async function trace(sdk, scenario, stage) {
  console.error(`-- ${sdk.name} ${scenario.name}`);
  for (const { at, method, path, outcome, bytes, events, mode } of stage.fault.log) {
    const what = mode ? `== ${mode}` : `${method} ${path} ${sizeOf(bytes, events)}${outcome ?? ''}`;
    console.error(`${String(at).padStart(7)} ms  ${what}`);
  }
  for (const error of await stage.errors()) console.error(`         page: ${error}`);
}

function sizeOf(bytes, events) {
  if (!bytes) return '';
  return events === undefined ? `${bytes} B ` : `${bytes} B, ${events} events `;
}
