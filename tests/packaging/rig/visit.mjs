/** What every consumer has to show: its page delivers events and shows a decision, and says no error. */

import assert from 'node:assert/strict';
import { eventually } from '../../e2e/rig/eventually.mjs';

/** The headline of the rules of these tests, once three lamps have been viewed. */
export const PICKED = 'Picked for you';
/** How long a page may take, on a machine that is busy. */
const PATIENCE_MS = 20_000;

/** Opens a page that keeps everything it complains about in `complaints`. */
export async function openWatched(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`threw: ${error.message}`));
  page.on('console', (message) => {
    const { url } = message.location();
    // Nobody has made an icon for these pages.
    if (message.type() === 'error' && !url.endsWith('/favicon.ico')) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** Waits until the headline is the one that the rules give. */
export async function picked(page, complaints = []) {
  const reads = (expected) => document.querySelector('#headline')?.textContent === expected;
  await page.waitForFunction(reads, PICKED).catch(async (cause) => {
    const found = await page.textContent('#headline');
    throw new Error(`the headline is "${found}"; the page said: ${complaints.join('\n')}`, { cause });
  });
}

/** Waits until the gate has passed on this many events of a type, each once. */
export async function delivered(gate, type, count) {
  const events = () => eventsOf(gate).filter(({ event_type }) => event_type === type);
  await eventually(events, (found) => found.length >= count);
  const ids = events().map(({ event_id }) => event_id);
  assert.equal(new Set(ids).size, count, `${count} events of type ${type}`);
}

/** All events that the gate has passed on. */
export function eventsOf(gate) {
  return gate.posted.flatMap((text) => JSON.parse(text).events ?? []);
}
