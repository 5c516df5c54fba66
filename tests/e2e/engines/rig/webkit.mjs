/** WebKit: MiniBrowser, which `MINIBROWSER` names, driven by WebKitWebDriver, which `WEBKIT_DRIVER` names. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { openDisplay } from './display.mjs';
import { makeFolder, removeFolder } from './folder.mjs';
import { openHttpSession } from './http.mjs';
import { begin, programOf } from './program.mjs';

/** What the cases need to know of it. */
export const webkit = {
  name: 'WebKit',
  lacks: {
    blockedStorage: 'MiniBrowser has no setting that blocks storage',
    writesOnClosing:
      'WebKit aborts what a page begins to write in pagehide, and a window that its driver closes hears nothing earlier',
  },
  start,
  startAlone,
};

/** Starts it driven; what it stores is in memory, as always where it is driven. */
async function start() {
  const folder = makeFolder();
  const display = await openDisplay();
  const options = { binary: programOf('MINIBROWSER'), args: ['--automation'] };
  const session = await openHttpSession(programOf('WEBKIT_DRIVER'), {
    capabilities: { 'webkitgtk:browserOptions': options },
    env: environment(folder, display),
    async ended() {
      await display.close();
      removeFolder(folder);
    },
  });
  // Its driver opens tabs behind the one that is seen, and cannot bring them to the front.
  return new Browser(session, 'window');
}

/** Starts it at an address with nothing that drives it; what it stores stays in the folder. */
async function startAlone(folder, url) {
  const display = await openDisplay();
  const program = await begin(programOf('MINIBROWSER'), [url], { env: environment(folder, display) });
  return {
    async kill() {
      await program.kill();
      await display.close();
    },
  };
}

function environment(folder, display) {
  const at = (name) => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  return {
    DISPLAY: display.name,
    HOME: folder,
    XDG_DATA_HOME: at('data'),
    XDG_CACHE_HOME: at('cache'),
    XDG_CONFIG_HOME: at('config'),
    // Root may not use it.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
  };
}
