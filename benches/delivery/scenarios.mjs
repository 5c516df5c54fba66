/** What happens to pages, browsers, networks and collectors between `track` and delivery. */

import { setTimeout as sleep } from 'node:timers/promises';
import { clockOff, quotaExhausted, scriptOf, storageBlocked } from './conditions.mjs';
import { DOWN, LOSES_ONE_ANSWER, refusing, slow, UP } from './fault.mjs';

const HOUR_MS = 3_600_000;
const OUTAGE_MS = 10_000;
/** Time between tracking and what then happens, where it does not happen at once. */
const AFTER_TRACKING_MS = 150;
/** Time after a page is gone in which what it has handed to the browser arrives. */
const AFTERWARDS_MS = 2_000;
const RETRY_AFTER_SECONDS = 5;
const SLOW_MS = 1_500;
const PAYLOAD_BYTES = 6_144;
/** Time after everything is delivered in which a repeat or a needless request would show. */
const QUIET_MS = 2_000;
/** As above where everybody has to try again: PostHog waits for three to six seconds. */
const QUIET_AFTER_LOSS_MS = 7_000;
/** Time for which delivery is waited for once everything is well again. */
const DELIVERY_MS = 25_000;
/** As above behind an outage in which several tries fail: the next one may be a minute away. */
const DELIVERY_AFTER_TRIES_MS = 65_000;
const EVENTS = 20;
const BURST_EVENTS = 200;
const YEAR_2099_MS = Date.UTC(2099, 0, 1) - Date.now();

/** A scenario of a healthy collector and a page that stays open. */
async function trackAndStay(stage) {
  await stage.track(await stage.openTab());
}

/** Opens the site again once what outlives a page has arrived. */
async function comeBack(stage) {
  await sleep(AFTERWARDS_MS);
  const early = { delivered_before_return: await stage.delivered() };
  await stage.openTab();
  return early;
}

/** The tab stays open while every request fails for a while. */
function failingFor(fault, durationMs) {
  return async (stage) => {
    const page = await stage.openTab();
    stage.fault.set(fault);
    await stage.track(page);
    await sleep(durationMs);
    stage.fault.set(UP);
  };
}

const LIST = {
  baseline: { run: trackAndStay, isQuick: true },

  tab_closed: {
    isQuick: true,
    async run(stage) {
      await stage.track(await stage.openTab(), { ending: 'close' });
      return await comeBack(stage);
    },
  },

  renderer_crash: {
    async run(stage) {
      const page = await stage.openTab();
      await stage.track(page);
      await stage.crash(page);
      return await comeBack(stage);
    },
  },

  browser_killed: {
    goal: 'outage',
    isQuick: true,
    async run(stage) {
      const page = await stage.openTab();
      stage.fault.set(DOWN);
      await stage.track(page);
      await sleep(AFTER_TRACKING_MS);
      await stage.killBrowser();
      stage.fault.set(UP);
      await stage.openTab();
    },
  },

  offline_closed: {
    goal: 'outage',
    async run(stage) {
      const page = await stage.openTab();
      await stage.setOffline(true);
      // What the browser sends once nobody drives the closed tab any more must not arrive either.
      stage.fault.set(DOWN);
      await stage.track(page);
      await sleep(AFTER_TRACKING_MS);
      await stage.closeTab(page);
      await sleep(AFTERWARDS_MS);
      await stage.setOffline(false);
      stage.fault.set(UP);
      await stage.openTab();
    },
  },

  collector_down_10s: {
    goal: 'outage',
    meets: 'reset',
    deliveryMs: DELIVERY_AFTER_TRIES_MS,
    run: failingFor(DOWN, OUTAGE_MS),
  },

  status_503_10s: {
    goal: 'outage',
    meets: 503,
    deliveryMs: DELIVERY_AFTER_TRIES_MS,
    run: failingFor(refusing(503), OUTAGE_MS),
  },

  status_429: {
    goal: 'outage',
    meets: 429,
    run: failingFor(
      refusing(429, { 'retry-after': String(RETRY_AFTER_SECONDS) }),
      1_000 * RETRY_AFTER_SECONDS,
    ),
  },

  answer_lost: {
    goal: 'outage',
    isQuick: true,
    meets: 'lost',
    quietMs: QUIET_AFTER_LOSS_MS,
    async run(stage) {
      const page = await stage.openTab();
      stage.fault.set(LOSES_ONE_ANSWER);
      await stage.track(page);
    },
  },

  two_tabs: {
    goal: 'outage',
    async run(stage) {
      const pages = [await stage.openTab(), await stage.openTab()];
      stage.fault.set(DOWN);
      await stage.track(pages[0], { from: 1, to: EVENTS / 2 });
      await stage.track(pages[1], { from: EVENTS / 2 + 1, to: EVENTS });
      await sleep(AFTER_TRACKING_MS);
      for (const page of pages) await stage.closeTab(page);
      await sleep(AFTERWARDS_MS);
      stage.fault.set(UP);
      await stage.openTab();
    },
  },

  navigation: {
    isQuick: true,
    async run(stage) {
      await stage.track(await stage.openTab(), { ending: 'leave' });
      return await comeBack(stage);
    },
  },

  large_close: {
    goal: 'outage',
    async run(stage) {
      const page = await stage.openTab();
      stage.fault.set(slow(SLOW_MS));
      await stage.track(page, { bytes: PAYLOAD_BYTES });
      await sleep(AFTER_TRACKING_MS);
      await stage.closeTab(page);
      await sleep(AFTERWARDS_MS);
      stage.fault.set(UP);
      return await comeBack(stage);
    },
  },

  burst: { run: trackAndStay, goal: 'burst', tracked: BURST_EVENTS, isQuick: true },

  before_script: {
    isQuick: true,
    needsSnippet: true,
    async run(stage) {
      await stage.openEarlyTab();
    },
  },

  storage_blocked: { run: trackAndStay, initScript: scriptOf(storageBlocked), isQuick: true },
  quota_exhausted: { run: trackAndStay, initScript: scriptOf(quotaExhausted), isQuick: true },
  clock_2h_ahead: { run: trackAndStay, initScript: scriptOf(clockOff, 2 * HOUR_MS) },
  clock_1d_behind: { run: trackAndStay, initScript: scriptOf(clockOff, -24 * HOUR_MS) },
  clock_2099: { run: trackAndStay, initScript: scriptOf(clockOff, YEAR_2099_MS), isQuick: true },
};

/**
 * The scenarios: a name, how many events are tracked, what `run` does, what at least one request must have come to
 * (`meets`), how long delivery is waited for and looked on after it, and which goal Attune has there: that of a healthy visit, whatever
 * becomes of the page, unless the network or the collector is in the way.
 */
export const SCENARIOS = Object.entries(LIST).map(([name, scenario]) => {
  const usual = { tracked: EVENTS, goal: 'healthy', isQuick: false };
  return { name, ...usual, deliveryMs: DELIVERY_MS, quietMs: QUIET_MS, ...scenario };
});
