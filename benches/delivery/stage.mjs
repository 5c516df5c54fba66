/** One run of one scenario: a browser with a profile of its own, the site, and the server that fails. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser } from './browser.mjs';
import { openFault } from './fault.mjs';
import { serveSite } from './site.mjs';

const POLL_MS = 200;
/** Time in which an SDK has asked for what it asks for when it has loaded. */
const SETTLING_MS = 500;
const READY_LIMIT_MS = 10_000;
const CLOSE_LIMIT_MS = 3_000;
/** Time in which the browser hears that a tab is to be closed. */
const BUSY_MS = 100;

/** A run in progress. */
export class Stage {
  #backend;
  #site;
  #browser;
  #profile = mkdtempSync(join(tmpdir(), 'attune-delivery-'));
  #scenario;
  #trackedAt;
  #early;
  fault;

  /** Opens everything but the browser. */
  static async open(sdk, scenario) {
    const stage = new Stage();
    stage.#scenario = scenario;
    try {
      await stage.#open(sdk);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #open(sdk) {
    this.#backend = await sdk.open();
    this.fault = await openFault(this.#backend);
    const { name, tracked } = this.#scenario;
    const files = await this.#backend.files(this.fault.url, { from: 1, to: tracked, scenario: name });
    const rig = readFileSync(join(import.meta.dirname, 'pages/rig.js'));
    this.#site = await serveSite([['/rig.js', rig], ...files]);
    this.#early = files.some(([path]) => path === '/early.html');
  }

  /** Whether the SDK has a documented way to track before its script has loaded. */
  get hasSnippet() {
    return this.#early;
  }

  /** Opens the site in a new tab and waits until the SDK has loaded there. */
  async openTab() {
    const page = await this.#openTab('/index.html');
    await page.evaluate((limitMs) => {
      const late = new Promise((resolve) => setTimeout(resolve, limitMs));
      return Promise.race([window.rig.ready, late]).catch(() => {});
    }, READY_LIMIT_MS);
    await sleep(SETTLING_MS);
    return page;
  }

  /** Opens the page that tracks before the SDK is there. */
  async openEarlyTab() {
    this.#trackedAt = Date.now();
    return await this.#openTab('/early.html');
  }

  async #openTab(path) {
    // Again on the profile that it had.
    this.#browser ??= await startBrowser(this.#profile, this.#scenario.initScript);
    const page = await this.#browser.context.newPage();
    await page.goto(`${this.#site.url}${path}`);
    return page;
  }

  /** Tracks events in one task, at whose end the page is closed (`close`) or goes elsewhere (`leave`). */
  async track(page, { from = 1, to = this.#scenario.tracked, bytes, ending } = {}) {
    this.#trackedAt ??= Date.now();
    const given = { from, to, bytes, scenario: this.#scenario.name, ending, busyMs: BUSY_MS };
    const act = ({ ending, busyMs, ...events }) => {
      if (ending === 'close') {
        // The browser is told to close the tab while this task goes on; nothing else happens after it.
        console.debug('closing');
        const end = performance.now() + busyMs;
        while (performance.now() < end);
      }
      window.rig.track(events);
      if (ending === 'leave') location.href = '/elsewhere.html';
    };
    const isClosing = (message) => message.text() === 'closing';
    const closed = ending === 'close' && page.waitForEvent('console', isClosing).then(() => page.close());
    const ended = page.evaluate(act, given);
    // A page that is gone does not answer.
    await (ending ? bounded(ended.catch(() => {})) : ended);
    await bounded(closed);
  }

  /** Closes a tab as its visitor would. */
  async closeTab(page) {
    await bounded(page.close());
  }

  /** Takes the process of a page away. */
  async crash(page) {
    const crashed = page.waitForEvent('crash', { timeout: CLOSE_LIMIT_MS });
    page.goto('chrome://crash').catch(() => {});
    await crashed;
  }

  /** Takes the network away, or gives it back. */
  async setOffline(isOffline) {
    await this.#browser.context.setOffline(isOffline);
  }

  /** Kills the browser. */
  async killBrowser() {
    await this.#browser.kill();
    this.#browser = undefined;
  }

  /** How many distinct events have been delivered until now. */
  async delivered() {
    return (await this.#backend.account()).delivered;
  }

  /** Waits until everything is delivered, or the time is over; then sees whether more comes. */
  async settle() {
    const { meets, deliveryMs, quietMs } = this.#scenario;
    const deadline = Date.now() + deliveryMs;
    let isDone = false;
    while (!isDone && Date.now() < deadline) {
      await sleep(POLL_MS);
      isDone = (await this.delivered()) >= this.#scenario.tracked;
    }
    const seconds = Math.round((Date.now() - this.#trackedAt) / 100) / 10;
    if (isDone) await sleep(quietMs);
    if (meets && !this.fault.log.some(({ outcome }) => outcome === meets)) {
      throw new Error(`no request has met the fault: ${meets}`);
    }
    const { delivered, doubled, repeats } = await this.#backend.account();
    const counted = { tracked: this.#scenario.tracked, delivered, double_counted: doubled };
    return { ...counted, ...this.fault.counts(), repeats, seconds };
  }

  /** What the SDK has told the pages that are open of errors. */
  async errors() {
    const pages = this.#browser?.context.pages() ?? [];
    const told = pages.map((page) => bounded(page.evaluate(() => window.rigErrors ?? [])).catch(() => []));
    return (await Promise.all(told)).flat().filter(Boolean);
  }

  /** Ends everything that it has started. */
  async close() {
    try {
      await this.#browser?.close();
    } finally {
      await Promise.allSettled([this.#site?.close(), this.fault?.close(), this.#backend?.close()]);
      rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  }
}

/** Waits, but not for long. */
function bounded(promise) {
  return Promise.race([promise, sleep(CLOSE_LIMIT_MS)]);
}
