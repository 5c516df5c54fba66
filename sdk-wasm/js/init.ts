/** `init`: one instance per page. */

import { Attune } from './attune.ts';
import { usageError } from './errors.ts';
import { type InitOptions, readOptions, type Settings } from './options.ts';

interface Running {
  attune: Attune;
  settings: Settings;
}

let running: Running | undefined;

/** Makes `init` for a build that knows where its WebAssembly file is. */
export function initWith(defaultWasmUrl: string): (options: InitOptions) => Attune {
  return (options) => {
    if (typeof document === 'undefined') {
      throw usageError('environment_unsupported', 'init: there is no document here');
    }
    const settings = readOptions(options, document.baseURI);
    if (running && !running.attune.isShutDown) return sameInstance(running, settings);
    running = { attune: new Attune(settings, defaultWasmUrl), settings };
    return running.attune;
  };
}

function sameInstance({ attune, settings: first }: Running, again: Settings): Attune {
  for (const name of ['writeKey', 'collector'] as const) {
    if (first[name] !== again[name]) {
      const message = `init: option "${name}" must stay "${first[name]}" on this page, got "${again[name]}"`;
      throw usageError('already_initialised', message);
    }
  }
  return attune;
}
