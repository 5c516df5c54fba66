/** Starts Attune, in the browser only, and records that the page has been seen. */

import { type Attune, init } from 'attune';

let starts = 0;

export function start(): Attune {
  const collector = new URLSearchParams(location.search).get('collector') ?? '';
  const attune = init({ writeKey: 'e2e', collector });
  attune.onError(({ code, message }) => console.error(code, message));
  attune.page();
  starts += 1;
  Object.assign(window, { attune, starts });
  return attune;
}
