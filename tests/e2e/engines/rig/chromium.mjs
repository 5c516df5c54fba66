/** Chromium, which `CHROMIUM` names, driven by ChromeDriver, which `CHROMEDRIVER` names: the rig's control. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { makeFolder, removeFolder } from './folder.mjs';
import { openHttpSession } from './http.mjs';
import { begin, programOf } from './program.mjs';

const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'];
/** Has the browser itself refuse pages whatever stores. */
const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };

/** What the cases need to know of it. */
export const chromium = { name: 'Chromium', lacks: {}, start, startAlone };

/** Starts it driven, with a profile of its own; `blocksStorage` has it refuse pages whatever stores. */
async function start({ blocksStorage = false } = {}) {
  const folder = makeFolder();
  if (blocksStorage) {
    mkdirSync(join(folder, 'Default'));
    writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify(BLOCKED));
  }
  const options = { binary: programOf('CHROMIUM'), args: [...FLAGS, `--user-data-dir=${folder}`] };
  const session = await openHttpSession(programOf('CHROMEDRIVER'), {
    capabilities: { 'goog:chromeOptions': options },
    ended: async () => removeFolder(folder),
  });
  return new Browser(session);
}

/** Starts it at an address with nothing that drives it; what it stores stays in the folder. */
async function startAlone(folder, url) {
  return await begin(programOf('CHROMIUM'), [...FLAGS, `--user-data-dir=${folder}`, url]);
}
