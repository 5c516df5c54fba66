/** Errors and rejections that nobody catches. */

import { scrub, scrubWithin } from './address.ts';
import type { Site } from './site.ts';

const MAX_MESSAGE_CHARS = 200;
/** Different ones in one page load. */
const MAX_ERRORS = 10;
/** Where the innermost call of a stack is. */
const PLACE = /(https?:\/\/[^\s()]+?):(\d+):(\d+)/;

/** Tracks each once, up to ten. */
export function trackErrors(site: Site): void {
  const told = new Set<string>();
  const tell = (kind: string, text: string, source?: string, line?: unknown, column?: unknown) => {
    const what = {
      kind,
      message: scrubWithin(text.slice(0, 2 * MAX_MESSAGE_CHARS)).slice(0, MAX_MESSAGE_CHARS),
      source: source ? scrub(source) : undefined,
      line: Number(line ?? 0),
      column: Number(column ?? 0),
    };
    const key = JSON.stringify(what);
    if (told.size === MAX_ERRORS || told.has(key)) return;
    told.add(key);
    site.track('exception', what);
  };
  site.on<ErrorEvent>(window, 'error', ({ message, filename, lineno, colno }) => {
    // A file that does not load fires an event of the same name.
    if (message) tell('error', message.replace(/^Uncaught /, ''), filename, lineno, colno);
  });
  site.on<PromiseRejectionEvent>(window, 'unhandledrejection', ({ type, reason }) => {
    const [, ...place] = PLACE.exec(reason?.stack) ?? [];
    // Objects are not looked into: they may hold anything.
    tell(type, String(reason), ...place);
  });
}
