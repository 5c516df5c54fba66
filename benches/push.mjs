/** Measures the way from `track()` in one tab, through the collector, to the changed DOM of another tab. */

import { openBrowser, openPage } from '../tests/e2e/rig/browser.mjs';
import { Collector, WRITE_KEY } from '../tests/e2e/rig/collector.mjs';
import { packagePage, serveSite } from '../tests/e2e/rig/site.mjs';

const WARM_UP_SAMPLES = 20;
const SAMPLES = 300;
const PAUSE_MS = 30;
const LIMIT_MS = 5_000;
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const collector = await Collector.start(rules());
const site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) }, ISOLATED);
const browser = await openBrowser();
try {
  const context = await browser.newContext();
  const [sender, watcher] = [await openPage(context, site.url), await openPage(context, site.url)];
  await watcher.evaluate(watch);
  const took = [];
  for (let sample = 0; sample < WARM_UP_SAMPLES + SAMPLES; sample += 1) {
    const change = watcher.evaluate((limit) => window.nextChange(limit), LIMIT_MS);
    const sentAt = await sender.evaluate(flip, sample % 2 === 0 ? 1 : -1);
    const changedAt = await change;
    if (sample >= WARM_UP_SAMPLES) took.push(changedAt - sentAt);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  took.sort((a, b) => a - b);
  const at = (share) => Math.round(100 * took[Math.floor(share * (took.length - 1))]) / 100;
  console.log(JSON.stringify({ bench: 'push', samples: SAMPLES, p50_ms: at(0.5), p99_ms: at(0.99) }));
} finally {
  await browser.close();
  await site.close();
  await collector.remove();
}

/** Runs in the sending tab: moves the balance across the rule's threshold. */
function flip(amount) {
  const now = performance.timeOrigin + performance.now();
  window.attune.track('flip', { amount }, { priority: 'critical' });
  return now;
}

/** Runs in the watching tab: notes the instant of every change, so that none between two questions is missed. */
function watch() {
  const changes = [];
  let waiting;
  const observer = new MutationObserver(() => {
    changes.push(performance.timeOrigin + performance.now());
    waiting?.();
  });
  observer.observe(document.querySelector('#headline'), {
    childList: true,
    characterData: true,
    subtree: true,
  });
  window.nextChange = async (limit) => {
    if (changes.length === 0) {
      await new Promise((resolve, reject) => {
        waiting = resolve;
        setTimeout(() => reject(new Error(`no change within ${limit} ms`)), limit);
      });
    }
    return changes.splice(0)[0];
  };
}

/** A balance that goes up and down by one, and a level rule on its threshold. */
function rules() {
  return {
    signals: [{ name: 'balance', on: 'flip', of: 'metadata.amount', aggregate: 'sum', window: 'lifetime' }],
    rules: [
      {
        id: 'positive',
        slot: 'headline',
        when: { 'signals.balance': { $gte: 1 } },
        actions: [{ kind: 'text', target: '#headline', value: 'Positive' }],
      },
    ],
  };
}
