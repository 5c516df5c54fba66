/** Headless Chromium for the tests, and what they wait for in its pages. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 15_000;

/** Starts the Chromium that `CHROMIUM` names. */
export async function openBrowser(options = {}) {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath)
    throw new Error('CHROMIUM is not set; `cargo xtask test` finds the browser and sets it');
  return await chromium.launch({ executablePath, args: FLAGS, ...options });
}

/** Starts Chromium with what it has stored in a folder, which outlives it. */
export async function openProfile(folder) {
  const executablePath = process.env.CHROMIUM;
  return await chromium.launchPersistentContext(folder, { executablePath, args: FLAGS });
}

/** Starts Chromium with an unpacked extension, and with what it stores in a folder. */
export async function openExtended(profile, extension) {
  const args = [...FLAGS, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`];
  const executablePath = process.env.CHROMIUM;
  return await chromium.launchPersistentContext(profile, {
    executablePath,
    args,
    ignoreDefaultArgs: ['--disable-extensions'],
  });
}

/** Runs beside a Chromium that shows a page with nothing that drives it, and ends that. */
export async function besideAlone(url, body) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-alone-'));
  const flags = [...FLAGS, '--headless=new', `--user-data-dir=${folder}`];
  const child = spawn(process.env.CHROMIUM, [...flags, url], { stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  try {
    await body();
  } finally {
    // The whole group, or what is left of it would go on writing into the folder.
    process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** Runs with a visitor of its own: a context of a browser, which ends with it. */
export async function asVisitor(browser, body) {
  const context = await browser.newContext();
  try {
    await body(context);
  } finally {
    await context.close();
  }
}

/** Kills a browser with all its processes at once, as a power cut or an impatient system would. */
export async function killBrowser(context) {
  const closed = new Promise((resolve) => context.once('close', resolve));
  const session = await context.browser().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  // Those that the main one has begun end with it.
  process.kill(processInfo.find(({ type }) => type === 'browser').id, 'SIGKILL');
  await closed;
}

/** Makes the renderer of a page crash. */
export async function crash(page) {
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  const session = await page.context().newCDPSession(page);
  session.send('Page.crash').catch(() => {});
  await crashed;
}

/** Opens a page of a context and waits until Attune is ready there. */
export async function openPage(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(url);
  await page.waitForSelector('html[data-ready=yes]');
  return page;
}

/** Tracks views of a category, one call each. */
export async function view(page, category, count = 1) {
  await page.evaluate(
    ([category, count]) => {
      for (let call = 0; call < count; call += 1) window.attune.track('product_view', { category });
    },
    [category, count],
  );
}

/** Waits until the headline reads as it should. */
export async function headline(page, expected) {
  const reads = (expected) => document.querySelector('#headline')?.textContent === expected;
  try {
    await page.waitForFunction(reads, expected);
  } catch (cause) {
    const found = await page.textContent('#headline');
    const errors = await page.evaluate(() => window.attuneErrors);
    throw new Error(`headline is "${found}", not "${expected}"; errors: ${JSON.stringify(errors)}`, {
      cause,
    });
  }
}
