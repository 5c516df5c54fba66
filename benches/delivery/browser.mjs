/** Chromium with a profile of its own, as a process that can be killed and started again on the same profile. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { killTree } from './processes.mjs';

/** No flag that changes how pages are timed, throttled or stored. */
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--password-store=basic',
  '--remote-debugging-port=0',
];
const START_LIMIT_MS = 30_000;
const PAGE_LIMIT_MS = 15_000;
const END_LIMIT_MS = 5_000;

/** Starts Chromium on a profile; `initScript` runs in every page before the page's own scripts. */
export async function startBrowser(profile, initScript) {
  const child = spawn(process.env.CHROMIUM, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  ended.catch(() => {});
  try {
    const browser = await chromium.connectOverCDP(await addressOf(child), { timeout: START_LIMIT_MS });
    const [context] = browser.contexts();
    context.setDefaultTimeout(PAGE_LIMIT_MS);
    if (initScript) await context.addInitScript(initScript);
    return {
      context,
      /** Ends it without a chance to store anything. */
      async kill() {
        await killTree(child.pid);
        await browser.close().catch(() => {});
      },
      /** Ends it for good; nothing that it does then is measured. */
      async close() {
        await Promise.race([browser.close(), sleep(END_LIMIT_MS)]).catch(() => {});
        if (child.exitCode === null && child.signalCode === null) await killTree(child.pid);
      },
    };
  } catch (cause) {
    if (child.pid) await killTree(child.pid);
    throw new Error('Chromium did not start', { cause });
  }
}

/** The address that Chromium prints for whoever drives it. */
async function addressOf(child) {
  const lines = createInterface({ input: child.stderr });
  const found = new Promise((resolve, reject) => {
    child.on('error', reject);
    lines.on('close', () => reject(new Error('Chromium ended')));
    lines.on('line', (line) => {
      const [, address] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (address) resolve(address);
    });
  });
  const late = sleep(START_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`Chromium is not ready after ${START_LIMIT_MS} ms`);
  });
  return await Promise.race([found, late]);
}
