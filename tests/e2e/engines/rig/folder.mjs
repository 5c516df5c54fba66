/** Folders in which browsers keep what they store. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder. */
export function makeFolder() {
  return mkdtempSync(join(tmpdir(), 'attune-engine-'));
}

/** Removes a folder that a browser which is just ending may still write to. */
export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
