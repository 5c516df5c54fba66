/** What is late: how much longer it is waited for. */

import { AttuneError } from '../errors.ts';

/**
 * Seconds for which what is late already is waited for, while somebody looks at the page and the browser is online. By
 * then a request has been out for a minute, in which 43 KB, the largest file of the core, come over 6 kbit/s, less than any
 * mobile network still gives: what has not come has stalled. Hidden, a page may be suspended with its requests, and
 * offline nothing can come, so neither counts. The request is left to run, and none is made in its place: one that is only
 * slow fills the browser's cache for the next page, where another would begin anew.
 */
const PATIENCE_S = 30;
const TICK_MS = 1_000;

/** How that has failed which is awaited, or that it does not come, in these words; nothing where it comes after all. */
export function failureOf(awaited: Promise<unknown>, silence: string): Promise<unknown> {
  return new Promise((done) => {
    let seconds = 0;
    const clock = setInterval(() => {
      if (document.hidden || navigator.onLine === false) return;
      seconds += 1;
      if (seconds >= PATIENCE_S) end(new AttuneError('wasm_unavailable', silence));
    }, TICK_MS);
    const end = (failure?: unknown) => {
      clearInterval(clock);
      done(failure);
    };
    awaited.then(() => end(), end);
  });
}
