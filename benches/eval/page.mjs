/** What runs in the page: engines are checked against the reference, then timed in turns. */

import { holding } from './reference.mjs';
import { changes, definitions, visitor } from './rules.mjs';

/** Visitors and changes that timing goes through, again and again. */
const VISITORS = 499;
const CHANGES = 1_999;
const CHECKED_VISITORS = 100;
const CHECKED_CHANGES = 100;
/** A batch is long enough for a clock of 5 µs, and for what the engine before has left in the caches not to matter. */
const BATCH_MS = 10;
const WARM_UP_MS = 200;
/** Compiled code settles within some rounds; the first ones are left out. */
const ROUNDS = 60;
const LEAST_ROUNDS = 3;

const fetched = async (url) => await (await fetch(url)).arrayBuffer();
/** Code runs as a script of its own: parsed, compiled and run, without a way through the network's process. */
const script = (text) => {
  // biome-ignore lint/security/noGlobalEval: the bench's own bundle of an engine, timed from its text on.
  return globalThis.eval(`${text}\n;engine`);
};

/** The bytes of an engine and of its rules. */
async function bytesOf({ name, rules, isBinary, module }, count) {
  const code = new TextDecoder().decode(await fetched(`/code/${name}.js`));
  const bytes = await fetched(`/rules/${count}/${rules}`);
  return {
    code,
    module: module && (await fetched(`/module/${name}`)),
    rules: isBinary ? new Uint8Array(bytes) : new TextDecoder().decode(bytes),
  };
}

async function opened(described, count) {
  const { code, module, rules } = await bytesOf(described, count);
  const { load, start } = script(code);
  const linearBytes = await load?.(module);
  return { ...described, linearBytes, ...start(rules), spent: 0 };
}

/** Times all engines side by side: another visitor each time, and one change each time. */
async function sideBySide({ engines: described, count, budgetMs }) {
  const rules = definitions(count);
  const engines = [];
  for (const each of described) engines.push(await opened(each, count));
  for (const engine of engines) await check(engine, rules);
  return {
    full: await inTurns(engines, budgetMs, fullWork),
    change: await inTurns(engines, budgetMs, changeWork),
  };
}

/** Throws at the first difference from the reference. */
async function check(engine, rules) {
  const same = (expected, about) => {
    const found = [...engine.holding()].sort().join();
    if (found !== expected.sort().join()) {
      throw new Error(`${engine.name}, ${about}: ${found} hold, not ${expected}`);
    }
  };
  for (let number = 0; number < CHECKED_VISITORS; number += 1) {
    await engine.full(visitor(number));
    same(holding(rules, visitor(number)), `visitor ${number} of ${rules.length} rules`);
  }
  const current = visitor(CHECKED_VISITORS - 1);
  for (const [name, value] of changes(CHECKED_CHANGES)) {
    current[name] = value;
    await engine.change(engine.path?.(name) ?? name, value);
    same(holding(rules, current), `after ${name} became ${value}, ${rules.length} rules`);
  }
}

function fullWork(engine) {
  const visitors = Array.from({ length: VISITORS }, (_, number) => visitor(number));
  let next = 0;
  const step = () => {
    next = (next + 1) % VISITORS;
    return engine.full(visitors[next]);
  };
  return batches(engine, step);
}

function changeWork(engine) {
  const list = changes(CHANGES).map(([name, value]) => [engine.path?.(name) ?? name, value]);
  let next = 0;
  const step = () => {
    next = (next + 1) % CHANGES;
    const [path, value] = list[next];
    return engine.change(path, value);
  };
  return batches(engine, step);
}

/** What the last step answered stays reachable, so that no step can be left out. */
const kept = { answer: undefined };

function batches({ waits }, step) {
  if (waits) {
    return async (steps) => {
      const started = performance.now();
      for (let each = 0; each < steps; each += 1) kept.answer = await step();
      return performance.now() - started;
    };
  }
  return (steps) => {
    const started = performance.now();
    for (let each = 0; each < steps; each += 1) kept.answer = step();
    return performance.now() - started;
  };
}

/** One batch of each engine in every round. An engine that has used up its time takes part in no further round. */
async function inTurns(engines, budgetMs, workOf) {
  const runs = [];
  for (const engine of engines) {
    const batch = workOf(engine);
    let [steps, stepMs, spent] = [1, 0, 0];
    for (;;) {
      const took = await batch(steps);
      spent += took;
      stepMs = took / steps;
      if (took >= BATCH_MS && spent >= WARM_UP_MS) break;
      if (took < BATCH_MS) steps *= 2;
    }
    steps = Math.max(1, Math.round(BATCH_MS / stepMs));
    runs.push({ name: engine.name, batch, steps, spent: 0, us: [] });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const run of runs) {
      if (run.us.length >= LEAST_ROUNDS && run.spent > budgetMs) continue;
      const took = await run.batch(run.steps);
      run.spent += took;
      run.us.push((1_000 * took) / run.steps);
    }
  }
  return runs.map(({ name, steps, us }) => ({ name, steps, us }));
}

/** On a page that has done nothing yet: from bytes that are there to the first outcome of all rules. */
async function cold({ engine, count }) {
  const { code, module, rules } = await bytesOf(engine, count);
  const first = visitor(0);
  const started = performance.now();
  const { load, start } = script(code);
  await load?.(module);
  const loaded = performance.now();
  const running = start(rules);
  await running.full(first);
  const done = performance.now();
  if (String([...running.holding()].sort()) !== String(holding(definitions(count), first).sort())) {
    throw new Error(`${engine.name}: the first outcome of ${count} rules differs`);
  }
  return { us: 1_000 * (done - started), rulesUs: 1_000 * (done - loaded) };
}

/** Opens an engine that stays, evaluates some visitors and changes, and returns its linear memory. */
async function settle({ engine, count, steps }) {
  globalThis.settled = await opened(engine, count);
  const { linearBytes } = globalThis.settled;
  const [full, change] = [fullWork(globalThis.settled), changeWork(globalThis.settled)];
  await full(steps);
  await change(steps);
  return linearBytes?.() ?? null;
}

/** Changes attributes up to a number of times or until time is up; another visitor comes now and then. */
async function endure({ evaluations, limitMs }) {
  const { linearBytes } = globalThis.settled;
  const [full, change] = [fullWork(globalThis.settled), changeWork(globalThis.settled)];
  const before = linearBytes();
  const started = performance.now();
  let done = 0;
  while (done < evaluations && performance.now() - started < limitMs) {
    await change(9_999);
    await full(1);
    done += 10_000;
  }
  return { done, before, after: linearBytes(), seconds: (performance.now() - started) / 1_000 };
}

globalThis.bench = { sideBySide, cold, settle, endure };
