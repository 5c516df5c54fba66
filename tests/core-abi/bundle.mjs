/** Bundles made by the `attune` binary. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.ATTUNE_BINARY;

/** Why no bundle can be compiled; false where one can. */
export const missing = binary ? false : 'ATTUNE_BINARY names no binary to compile bundles with';

/** The bundle of a rule file. */
export function compiled(rules) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-core-'));
  try {
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules/rules.json'), JSON.stringify(rules));
    execFileSync(binary, ['bundle', 'compile', 'rules', '--output', 'bundle'], { cwd: folder });
    return readFileSync(join(folder, 'bundle'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
