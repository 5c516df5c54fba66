/** Measures one call of `track()` in Chromium, from the call to its return: signals, decisions and DOM included. */

import { openBrowser, openPage } from '../tests/e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../tests/e2e/rig/collector.mjs';
import { packagePage, serveSite } from '../tests/e2e/rig/site.mjs';

const WARM_UP_CALLS = 500;
const CALLS = 5_000;
const SIGNALS = 10;
const RULES = 20;
/** An isolated page has a clock of 5 µs instead of 100 µs. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const collector = await Collector.start(rules());
const site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) }, ISOLATED);
const browser = await openBrowser();
try {
  const page = await openPage(await browser.newContext(), site.url);
  const figures = await page.evaluate(measure, { warmUp: WARM_UP_CALLS, calls: CALLS });
  const described = { bench: 'track', calls: CALLS, signals: SIGNALS, rules: RULES };
  console.log(JSON.stringify({ ...described, ...figures }));
} finally {
  await browser.close();
  await site.close();
  await collector.remove();
}

/** Runs in the page: pauses now and then, as visitors do, so that delivery has its share of the time. */
async function measure({ warmUp, calls }) {
  const took = [];
  for (let call = 0; call < warmUp + calls; call += 1) {
    const started = performance.now();
    window.attune.track('page_view', { category: `c${call % 7}`, product_id: `product_${call % 997}` });
    if (call >= warmUp) took.push(1_000 * (performance.now() - started));
    if (call % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  took.sort((a, b) => a - b);
  const at = (share) => Math.round(10 * took[Math.floor(share * (took.length - 1))]) / 10;
  const mean = took.reduce((sum, value) => sum + value, 0) / took.length;
  return {
    mean_us: Math.round(10 * mean) / 10,
    p50_us: at(0.5),
    p99_us: at(0.99),
    clock_resolution_us: self.crossOriginIsolated ? 5 : 100,
  };
}

function rules() {
  const signals = Array.from({ length: SIGNALS }, (_, index) => ({
    name: `views_${index}`,
    on: 'page_view',
    by: 'metadata.category',
    aggregate: 'count',
    window: `${5 * (index + 1)}m`,
  }));
  const rules = Array.from({ length: RULES }, (_, index) => ({
    id: `rule-${index}`,
    slot: `slot-${index % 5}`,
    when: { [`signals.views_${index % SIGNALS}.c${index % 7}`]: { $gte: 100 + index } },
    actions: [{ kind: 'variable', name: `shown_${index}`, value: true }],
  }));
  return { signals, rules };
}
