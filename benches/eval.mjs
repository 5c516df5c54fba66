/**
 * Measures the outcome of 10 to 10,000 rules in Chromium, side by side with the rule engines of npm.
 *
 * `EVAL_COUNTS=10,1000` takes other numbers of rules, for a first look.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { openBrowser } from '../tests/e2e/rig/browser.mjs';
import { ENGINES } from './eval/engines.mjs';
import { turnedPerChange } from './eval/reference.mjs';
import { figures, goal, print, summary } from './eval/report.mjs';
import { changes, definitions, visitor } from './eval/rules.mjs';
import { files, serve } from './eval/site.mjs';

const COUNTS = process.env.EVAL_COUNTS?.split(',').map(Number) ?? [10, 100, 1_000, 10_000];
/** Time that one engine may take for one measure before it sits out. */
const BUDGET_MS = 2_000;
const COLD_PAGES = 5;
/** Changes over which it is counted how many outcomes one turns. */
const COUNTED_CHANGES = 200;
/** The largest set of rules is evaluated this often. */
const EVALUATIONS = 10_000_000;
const ENDURANCE_LIMIT_MS = 120_000;
/** Evaluations of each kind after which memory has settled. */
const SETTLING_STEPS = 2_000;
/** As above where an evaluation takes milliseconds. */
const FEW_SETTLING_STEPS = 20;
/** What one engine's steps may take in all: those of all rules are in the milliseconds. */
const PAGE_LIMIT_MS = 600_000;

const made = await files(COUNTS, process.env.ATTUNE_BINARY);
const site = await serve(made);
const browser = await openBrowser();
const lines = [];
const tell = (line) => {
  lines.push(line);
  print(line);
};
try {
  for (const { name, npm } of ENGINES) tell({ engine: name, measure: 'version', version: version(npm) });
  for (const rules of COUNTS) bundles(rules);
  await timed();
  for (const rules of COUNTS) await cold(rules);
  for (const rules of COUNTS) await memory(rules);
  for (const line of summary(lines)) print(line);
} finally {
  await browser.close();
  await site.close();
}

/** Bytes that travel: rules in each engine's form, and the engine itself. */
function bundles(rules) {
  for (const { name, rules: file, module } of ENGINES) {
    const brotli = compressed(`/rules/${rules}/${file}`);
    const code = compressed(`/code/${name}.js`) + (module ? compressed(`/module/${name}`) : 0);
    const met = goal(name, 'bundle', rules, brotli, 'bytes');
    tell({ engine: name, rules, measure: 'bundle', brotli_bytes: brotli, engine_brotli_bytes: code, ...met });
  }
}

function compressed(path) {
  return brotliCompressSync(made.get(path)).length;
}

/** All engines and all numbers of rules in one page load. */
async function timed() {
  await inFreshPage(async (page) => {
    for (const rules of COUNTS) {
      const options = { engines: ENGINES, count: rules, budgetMs: BUDGET_MS };
      const found = await page.evaluate((options) => globalThis.bench.sideBySide(options), options);
      const turned = turnedPerChange(definitions(rules), visitor(0), changes(COUNTED_CHANGES));
      for (const measure of ['full', 'change']) {
        for (const { name, us } of found[measure]) {
          const line = { engine: name, rules, measure, ...figures(us) };
          if (measure === 'change') {
            line.evaluates = name === 'attune' ? 'what has changed' : 'all rules again';
            line.outcomes_turned = Math.round(10 * turned) / 10;
          }
          tell({ ...line, ...goal(name, measure, rules, line.p50_us, 'us') });
        }
      }
    }
  });
}

/** First outcome on pages that have done nothing: with the engine's code, and of the rules alone. */
async function cold(rules) {
  const took = new Map(ENGINES.map(({ name }) => [name, { us: [], rulesUs: [] }]));
  for (let round = 0; round < COLD_PAGES; round += 1) {
    for (const engine of ENGINES) {
      await inFreshPage(async (page) => {
        const options = { engine, count: rules };
        const { us, rulesUs } = await page.evaluate((options) => globalThis.bench.cold(options), options);
        took.get(engine.name).us.push(us);
        took.get(engine.name).rulesUs.push(rulesUs);
      });
    }
  }
  for (const [engine, { us, rulesUs }] of took) {
    tell({ engine, rules, measure: 'cold', ...figures(us) });
    tell({ engine, rules, measure: 'cold_rules', ...figures(rulesUs) });
  }
}

/** Bytes of memory with one engine on a page, and whether they stay the same. */
async function memory(rules) {
  for (const engine of ENGINES) {
    await inFreshPage(async (page) => {
      const heap = await heapOf(page);
      const before = await heap();
      const steps = engine.name === 'attune' ? SETTLING_STEPS : FEW_SETTLING_STEPS;
      const options = { engine, count: rules, steps };
      const linear = await page.evaluate((options) => globalThis.bench.settle(options), options);
      const line = { engine: engine.name, rules, measure: 'memory', js_heap_bytes: (await heap()) - before };
      if (linear !== null) line.linear_bytes = linear;
      tell({ ...line, ...goal(engine.name, 'memory', rules, linear, 'bytes') });
      if (engine.name === 'attune' && rules === Math.max(...COUNTS)) await endurance(page, rules);
    });
  }
}

/** Evaluates millions of times on a page that has settled; memory that grows fails the bench. */
async function endurance(page, rules) {
  const options = { evaluations: EVALUATIONS, limitMs: ENDURANCE_LIMIT_MS };
  const found = await page.evaluate((options) => globalThis.bench.endure(options), options);
  const { done, before, after, seconds } = found;
  const line = {
    engine: 'attune',
    rules,
    measure: 'memory_growth',
    evaluations: done,
    seconds,
    grown_bytes: after - before,
  };
  tell({
    ...line,
    goal_evaluations: EVALUATIONS,
    goal_bytes: 0,
    met: done >= EVALUATIONS && after === before,
  });
  if (after !== before) throw new Error(`linear memory grew from ${before} to ${after} bytes`);
}

/** Asks the page's JavaScript engine for its heap after a collection. */
async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return usedSize;
  };
}

/** A page in a context of its own, so that neither code nor caches are left from another one. */
async function inFreshPage(work) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PAGE_LIMIT_MS);
    await page.goto(site.url);
    if (!(await page.evaluate(() => globalThis.crossOriginIsolated)))
      throw new Error('the page is not isolated');
    await work(page);
  } finally {
    await context.close();
  }
}

function version(npm) {
  const manifest = npm ? `node_modules/${npm}` : 'sdk-wasm';
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', manifest, 'package.json'), 'utf8')).version;
}
