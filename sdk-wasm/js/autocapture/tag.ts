/** What the script tag loads for its attribute `data-autocapture`. */

import type { Attune } from '../attune.ts';
import type { AutocaptureOptions } from './options.ts';
import { autocapture, isRunning, KINDS } from './start.ts';

/** Tracks the kinds that are named, with spaces between them, or those that are tracked by default where none is. */
export function start(attune: Attune, kinds: string): void {
  if (isRunning(attune)) return;
  const options: Record<string, boolean> = {};
  const named = kinds.match(/\S+/g);
  if (named) for (const kind of KINDS) options[kind] = false;
  for (const kind of named ?? []) options[kind] = true;
  autocapture(attune, options satisfies AutocaptureOptions);
}
