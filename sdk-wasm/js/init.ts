/** `init`: one instance per page. */

import { Attune } from './attune.ts';
import { readWishes } from './browser/wishes.ts';
import type { LoadActions } from './dom/page.ts';
import type { LoadTrust } from './driver/bundles.ts';
import type { LoadPreview } from './driver/contract.ts';
import type { LoadFilter } from './driver/filter.ts';
import { usageError } from './errors.ts';
import { type InitOptions, readOptions } from './options.ts';
import { previewToken } from './preview-token.ts';

interface Running {
  attune: Attune;
  settings: ReturnType<typeof readOptions>;
}

let running: Running | undefined;

/** Makes `init` for a build that knows where its WebAssembly file is, and how to load what few pages need. */
export function initWith(
  defaultWasmUrl: string,
  loadTrust: LoadTrust,
  loadFilter: LoadFilter,
  loadActions: LoadActions,
  loadPreview: LoadPreview,
): (options: InitOptions) => Attune {
  return (options) => {
    if (typeof document === 'undefined') {
      throw usageError('environment_unsupported', 'init: there is no document here');
    }
    const settings = readOptions(options, document.baseURI, readWishes());
    if (running && !running.attune.isShutDown) return sameInstance(running, settings);
    running = {
      attune: new Attune(
        { ...settings, loadTrust, loadFilter, loadActions, loadPreview, preview: previewToken() },
        defaultWasmUrl,
      ),
      settings,
    };
    return running.attune;
  };
}

function sameInstance({ attune, settings: first }: Running, again: Running['settings']): Attune {
  for (const name of ['writeKey', 'collector', 'trust'] as const) {
    if (again[name] !== undefined && first[name] !== again[name]) {
      const message = `init: option "${name}" must stay "${first[name]}" on this page, got "${again[name]}"`;
      throw usageError('already_initialised', message);
    }
  }
  return attune;
}
