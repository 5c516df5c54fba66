/** `init`: one instance per page. */

import { Attune } from './attune.ts';
import { readWishes } from './browser/wishes.ts';
import { devtoolsPort } from './devtools-port.ts';
import { usageError } from './errors.ts';
import { type InitOptions, type Parts, readOptions, type SiteSettings } from './options.ts';
import { previewToken } from './preview-token.ts';
import { textOf } from './seen.ts';

let running: Attune | undefined;
/** What it was started with. */
let first: SiteSettings;
/** What `init` has been told of consent last, as text. */
let said: string | undefined;

/** Makes `init` for a build, which knows what it has beside its script. */
export function initWith(parts: Parts): (options: InitOptions) => Attune {
  return (options) => {
    if (typeof document === 'undefined') {
      throw usageError('environment_unsupported', 'init: there is no document here');
    }
    const settings = readOptions(options, document.baseURI, readWishes());
    const { consent } = options;
    if (!running || running.isShutDown) {
      running = new Attune({ ...settings, ...parts, preview: previewToken() });
      first = settings;
    } else {
      tellApart(running, options, settings);
      // What is said again word for word, as by a component that is mounted again, takes back nothing that was said since.
      if (consent && textOf(consent) !== said) running.consent(consent);
    }
    if (consent) said = textOf(consent);
    return running;
  };
}

/** Tells of options of a further call that differ from what is in effect, and have none. */
function tellApart(attune: Attune, options: InitOptions, again: SiteSettings): void {
  const names = Object.keys(options) as (keyof InitOptions)[];
  const others = names.filter((name) => {
    const isSaid = options[name] !== undefined && name !== 'consent';
    return isSaid && textOf(again[name]) !== textOf(first[name] ?? false);
  });
  for (const name of others) {
    if (!/^(writeKey|collector|trust)$/.test(name)) continue;
    const must = `must stay "${first[name]}" on this page, got "${again[name]}"`;
    throw usageError('already_initialised', `init: option "${name}" ${must}`);
  }
  if (others[0]) attune[devtoolsPort].tell('already_initialised', ...others);
}
