/** Running a library's program to its end. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const LIMIT_MS = 120_000;
const clients = join(import.meta.dirname, '../clients');

/** The libraries that speak Segment's Tracking API, and what runs a program of each. */
export const LIBRARIES = {
  '@segment/analytics-node': [process.execPath, join(clients, 'segment.mjs')],
  '@rudderstack/rudder-sdk-node': [process.execPath, join(clients, 'rudder.mjs')],
  'segment-analytics-python': ['python', join(clients, 'send.py'), 'segment'],
  'rudder-sdk-python': ['python', join(clients, 'send.py'), 'rudder'],
};

const OTHERS = { 'mixpanel (Python)': ['python', join(clients, 'mixpanel_send.py')] };

/** Has a library send everything; fails with what it said where it gives something up. */
export async function sendWith(library, url, writeKey, visits) {
  const [program, ...words] = { ...LIBRARIES, ...OTHERS }[library].map((word) =>
    word === 'python' ? python() : word,
  );
  const options = { timeout: LIMIT_MS, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } };
  await promisify(execFile)(program, [...words, url, writeKey, String(visits)], options);
}

function python() {
  const python = process.env.COMPAT_PYTHON;
  if (!python)
    throw new Error('COMPAT_PYTHON is not set; `cargo xtask test` makes the environment and sets it');
  return python;
}
