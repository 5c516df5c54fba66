/** Ends a process and everything that it has started, each by its id. */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 5_000;
const STEP_MS = 20;

/** Kills a process and its descendants as a loss of power would, and waits until they are gone. */
export async function killTree(root) {
  const ids = [root, ...descendants(root)];
  for (const id of ids) send(id, 'SIGKILL');
  const deadline = Date.now() + LIMIT_MS;
  while (ids.some(isRunning)) {
    if (Date.now() > deadline) throw new Error(`processes below ${root} do not end`);
    await sleep(STEP_MS);
  }
}

/** Ids of the processes below one, as /proc tells them. */
function descendants(root) {
  const children = new Map();
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = fieldsOf(name)?.parent;
    if (parent) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [];
  const visit = (id) => {
    for (const child of children.get(id) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(root);
  return found;
}

/** State and parent of a process; nothing where it has ended. */
function fieldsOf(id) {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8');
    // The name before them may hold blanks and brackets.
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function isRunning(id) {
  const state = fieldsOf(id)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function send(id, signal) {
  try {
    process.kill(id, signal);
  } catch {
    // It has ended by itself.
  }
}
