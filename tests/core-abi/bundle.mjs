/** Bundles made by the `attune` binary. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.ATTUNE_BINARY;

/** Why no bundle can be compiled; false where one can. */
export const missing = binary ? false : 'ATTUNE_BINARY names no binary to compile bundles with';

/** The bundle of a rule file; of a revision other than 1 it is signed with a key that is thrown away. */
export function compiled(rules, { revision, withErrors = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-core-'));
  const attune = (...words) =>
    execFileSync(binary, ['bundle', ...words], { cwd: folder, stdio: withErrors ? 'ignore' : 'pipe' });
  try {
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules/rules.json'), JSON.stringify(rules));
    attune('compile', 'rules', '--output', 'bundle', ...(withErrors ? ['--keep-going'] : []));
    if (revision) {
      attune('keygen', '--output', 'key');
      attune('sign', 'bundle', '--key', 'key', '--output', 'bundle', '--revision', `${revision}`);
    }
    return readFileSync(join(folder, 'bundle'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
