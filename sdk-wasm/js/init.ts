/** `init`: one instance per page. */

import { Attune } from './attune.ts';
import { readWishes } from './browser/wishes.ts';
import { usageError } from './errors.ts';
import { type InitOptions, type Parts, readOptions, type SiteSettings } from './options.ts';
import { previewToken } from './preview-token.ts';

interface Running {
  attune: Attune;
  settings: SiteSettings;
}

let running: Running | undefined;

/** Makes `init` for a build, which knows what it has beside its script. */
export function initWith(parts: Parts): (options: InitOptions) => Attune {
  return (options) => {
    if (typeof document === 'undefined') {
      throw usageError('environment_unsupported', 'init: there is no document here');
    }
    const settings = readOptions(options, document.baseURI, readWishes());
    if (running && !running.attune.isShutDown) return sameInstance(running, settings);
    running = { attune: new Attune({ ...settings, ...parts, preview: previewToken() }), settings };
    return running.attune;
  };
}

function sameInstance({ attune, settings: first }: Running, again: SiteSettings): Attune {
  for (const name of ['writeKey', 'collector', 'trust'] as const) {
    if (again[name] !== undefined && first[name] !== again[name]) {
      const message = `init: option "${name}" must stay "${first[name]}" on this page, got "${again[name]}"`;
      throw usageError('already_initialised', message);
    }
  }
  return attune;
}
