/** Projects of users: a folder of source outside the repository, with the package installed as `npm pack` makes it. */

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = join(import.meta.dirname, '..');
const sdk = join(here, '../../sdk-wasm');

/** Packs the package into a folder; returns the path of the tarball. */
export async function packInto(folder) {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: sdk,
  });
  return join(folder, JSON.parse(stdout)[0].filename);
}

/**
 * Copies `consumers/<name>` and installs the tarball there, without a network. Whatever else a consumer imports, such as
 * bundlers and React, it finds in the folder above, as in a workspace; what `preferred`, a folder of `tests/packaging`,
 * has installed comes first.
 */
export async function openConsumer(name, preferred = '.') {
  const base = mkdtempSync(join(tmpdir(), `attune-${name}-`));
  const folder = join(base, name);
  cpSync(join(here, 'consumers', name), folder, { recursive: true });
  linkPackages(join(base, 'node_modules'), [preferred, '.']);
  const tarball = await packInto(base);
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', ...flags, tarball], { cwd: folder });
  return {
    folder,
    tarball,
    /** Runs a script of Node there; returns what it printed. Fails with what it said where it fails. */
    async node(script, words = [], env = {}) {
      const options = { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 1 << 24 };
      const { stdout } = await run(process.execPath, [script, ...words], options).catch((cause) => {
        throw new Error(`${script} ${words.join(' ')}:\n${cause.stdout}\n${cause.stderr}`, { cause });
      });
      return stdout;
    },
    remove() {
      rmSync(base, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

function linkPackages(target, folders) {
  mkdirSync(target);
  for (const folder of folders) {
    const packages = join(here, folder, 'node_modules');
    for (const name of readdirSync(packages)) {
      if (!existsSync(join(target, name))) symlinkSync(join(packages, name), join(target, name));
    }
  }
}

/** The program of a package that `tests/packaging` installs. */
export function programOf(name, path) {
  return join(here, 'node_modules', name, path);
}
