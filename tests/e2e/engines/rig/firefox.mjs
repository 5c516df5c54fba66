/** Firefox, which `FIREFOX` names, without a window. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../rig/eventually.mjs';
import { Browser } from './browser.mjs';
import { makeFolder, removeFolder } from './folder.mjs';
import { openMarionetteSession } from './marionette.mjs';
import { begin, programOf } from './program.mjs';

const PREFERENCES = {
  // It chooses a port, and writes it into its profile.
  'marionette.port': 0,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  // A browser that was killed is not to ask whether it should begin in safe mode.
  'toolkit.startup.max_resumed_crashes': -1,
};
/** Has the browser itself refuse pages whatever stores. */
const BLOCKED = { 'network.cookie.cookieBehavior': 2 };

/** What the cases need to know of it. */
export const firefox = {
  name: 'Firefox',
  lacks: {
    backForwardCache:
      'Firefox decides before the page can release them: one with an open stream, or that holds a lock, is not kept',
  },
  start,
  startAlone,
};

/** Starts it driven, with a profile of its own; `blocksStorage` has it refuse pages whatever stores. */
async function start({ blocksStorage = false } = {}) {
  const folder = makeFolder();
  const program = await run(folder, ['--marionette'], blocksStorage ? BLOCKED : {});
  const place = join(folder, 'MarionetteActivePort');
  const port = await eventually(
    () => (existsSync(place) ? Number(readFileSync(place, 'utf8')) : 0),
    (port) => port > 0,
  );
  const ended = async () => {
    await program.kill();
    removeFolder(folder);
  };
  return new Browser(await openMarionetteSession(port, ended));
}

/** Starts it at an address with nothing that drives it; what it stores stays in the folder. */
async function startAlone(folder, url) {
  return await run(folder, [url], {});
}

async function run(profile, words, more) {
  const lines = Object.entries({ ...PREFERENCES, ...more }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const all = ['--headless', '--no-remote', '--profile', profile, ...words];
  return await begin(programOf('FIREFOX'), all, { env: { HOME: profile } });
}
