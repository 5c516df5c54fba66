/** One cold load of a page, in a context of its own, so that nothing is cached or stored. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CATEGORIES, readPaint, readTrace } from './trace.mjs';

const THROTTLE = 4;
/** Time in which a throttled page has loaded, delivered its first event and come to rest. */
const SETTLING_MS = 1_500;

/** What scripts cost on a slow device: the CPU is throttled from before the navigation on. */
export async function loadSlowly(browser, url, rate = THROTTLE) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate });
    await page.addInitScript(watchLongTasks);
    await browser.startTracing(page, { categories: CATEGORIES });
    await page.goto(url);
    await sleep(SETTLING_MS);
    const trace = JSON.parse(await browser.stopTracing());
    const { longTasks, network } = await page.evaluate(() => ({
      longTasks: window.longTasks,
      network: performance
        .getEntriesByType('resource')
        .map(({ name, startTime, responseEnd }) => [name, responseEnd - startTime]),
    }));
    const timeOf = (part) => network.find(([name]) => name.includes(part))?.[1];
    return {
      ...readTrace(trace.traceEvents),
      long_tasks: longTasks.length,
      bundle_network_ms: timeOf('/v1/bundle'),
      wasm_network_ms: timeOf('.wasm'),
    };
  } finally {
    await context.close();
  }
}

/** When a page shows what an earlier one has stored as its decision, and what the loader takes for it. */
export async function loadAgain(browser, url, rate) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => window.attune.ready?.then(() => true));
    await page.evaluate(() => window.attune.track('view'));
    await page.waitForFunction(() => document.querySelector('#hero').textContent === 'Decided');
    const isStored = () =>
      Object.entries(localStorage).some(
        ([key, text]) => key.endsWith('/decisions') && text.includes('Decided'),
      );
    await page.waitForFunction(isStored);
    await page.goto('about:blank');
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate });
    await browser.startTracing(page, { categories: CATEGORIES });
    await page.goto(url);
    await sleep(SETTLING_MS);
    const trace = JSON.parse(await browser.stopTracing());
    return readPaint(trace.traceEvents);
  } finally {
    await context.close();
  }
}

/** What a page holds at rest, in bytes: what scripts have on their heap, and the linear memory of WebAssembly. */
export async function loadAndWeigh(browser, url) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript(keepMemories);
    await page.goto(url);
    await sleep(SETTLING_MS);
    const session = await context.newCDPSession(page);
    // What the first has freed may keep more alive that the second frees.
    for (let round = 0; round < 2; round += 1) await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return { heap_bytes: usedSize, wasm_bytes: await page.evaluate(() => window.wasmBytes()) };
  } finally {
    await context.close();
  }
}

/** Runs in the page, before anything else. */
function watchLongTasks() {
  window.longTasks = [];
  const observer = new PerformanceObserver((list) => window.longTasks.push(...list.getEntries()));
  observer.observe({ type: 'longtask', buffered: true });
}

/** Runs in the page, before anything else. */
function keepMemories() {
  const memories = new Set();
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...values) => {
      const made = await original.apply(WebAssembly, values);
      const { exports } = made.instance ?? made;
      for (const one of Object.values(exports)) if (one instanceof WebAssembly.Memory) memories.add(one);
      return made;
    };
  }
  window.wasmBytes = () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
