/**
 * Measures what a change of one rule among a thousand costs the hosts of `attune/evaluator`: in Node and in Chromium, beside
 * the core natively.
 *
 * The cases are those of `delta`, the bench of the core, which runs first: `ATTUNE_DELTA` names it.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openBrowser } from '../tests/e2e/rig/browser.mjs';
import { measure } from './delta/measure.mjs';
import { attuneRules, definitions, visitor } from './eval/rules.mjs';
import { script, serve } from './eval/site.mjs';

const RULES = 1_000;
const GOAL_US = 100;
/** Code is compiled anew in the background; the cases before the measured ones wait for that. */
const WARM_UP_ROUNDS = 100;
const SETTLING_MS = 500;
const PAGE_LIMIT_MS = 600_000;
const PAGE = '<!doctype html><html lang="en"><title>delta</title><script src="/page.js"></script></html>';

const folder = mkdtempSync(join(tmpdir(), 'attune-delta-'));
try {
  const { rules } = attuneRules(definitions(RULES));
  writeFileSync(join(folder, 'rules.json'), JSON.stringify({ rules, attributes: { traits: visitor(0) } }));
  execFileSync(process.env.ATTUNE_DELTA, [folder], { stdio: ['ignore', 'inherit', 'inherit'] });
  const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
  const opened = cases.map((each) => ({ ...each, ...bytesOf(each.name) }));
  const module = readFileSync(join(import.meta.dirname, '../sdk-wasm/dist/core.wasm'));
  await inNode(opened, module);
  await inChromium(opened, module);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function bytesOf(name) {
  const bytes = (ending) => new Uint8Array(readFileSync(join(folder, `${name}.${ending}`)));
  const from = bytes('from');
  return { from, delta: bytes('delta'), sha256: createHash('sha256').update(from).digest('hex') };
}

function tell(host, { set, change }, { figures, first }) {
  const { apply, publish, applied } = figures;
  const line = {
    bench: 'delta',
    host,
    rules: RULES,
    set,
    change,
    apply_p50_us: apply,
    publish_p50_us: publish,
  };
  const met = { goal_us: GOAL_US, met: applied <= GOAL_US };
  console.log(JSON.stringify({ ...line, applied_p50_us: applied, first_us: first, ...met }));
}

async function inNode(cases, module) {
  const engine = await import('./eval/engines/attune.mjs');
  await engine.load(module);
  await warm(cases, (each, rounds) => measure(engine.Evaluator, each, rounds));
  for (const each of cases) tell('node', each, measure(engine.Evaluator, each));
}

async function inChromium(cases, module) {
  const made = new Map([
    ['/index.html', PAGE],
    ['/page.js', await script('../delta/page.mjs')],
    ['/core.wasm', module],
  ]);
  for (const { name, from, delta } of cases) {
    made.set(`/${name}/from`, Buffer.from(from)).set(`/${name}/delta`, Buffer.from(delta));
  }
  const site = await serve(made);
  const browser = await openBrowser();
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(PAGE_LIMIT_MS);
    await page.goto(site.url);
    const run = (each, rounds) => {
      const { name, attributes, sha256 } = each;
      return page.evaluate((given) => globalThis.bench(given), { name, attributes, sha256, rounds });
    };
    await warm(cases, run);
    for (const each of cases) tell('chromium', each, await run(each));
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Some rounds of every case, until the machine code of all of them is the last one. */
async function warm(cases, run) {
  for (const each of cases) await run(each, WARM_UP_ROUNDS);
  await wait(SETTLING_MS);
}
