/** Posts that outlive their page where the browser has room for that, and are made all the same where it has none. */

import { type Answer, post } from './http.ts';

/** What the browser itself refuses fails sooner. */
const REFUSED_WITHIN_MS = 1_000;

/** Time for an answer once a page is out of the back/forward cache: WebKit loses some of those that come meanwhile. */
const RETURNED_MS = 1_000;

/** Origins whose last answer has not come: one that finds no room is not to cost two, however long there is none. */
const silent = new Set<string>();

/**
 * Posts a body as `text/plain`. Unless it is said, it is found out whether the request may outlive its page: the room for
 * these is shared with all scripts of the page, and where none is left the browser fails a request as if there were no
 * network. `exposed` hears of one that ends with its page, and says whether it is still wanted.
 */
export async function insist(
  url: string,
  body: Uint8Array<ArrayBuffer> | string,
  outlives = !silent.has(new URL(url).origin),
  exposed = () => true,
): Promise<Answer | undefined> {
  const since = performance.now();
  let answer = outlives ? await unlessLost(post(url, body)) : undefined;
  // Chromium fails the requests of a page that goes, and goes on with them: before the page is told where a script closes it.
  const isRefused = !answer && !window.closed && performance.now() - since < REFUSED_WITHIN_MS;
  // A page that has gone gets no further than that.
  if (outlives && isRefused) await new Promise((done) => setTimeout(done));
  if ((!outlives || isRefused) && exposed()) answer = await unlessLost(post(url, body, false));
  silent[answer ? 'delete' : 'add'](new URL(url).origin);
  return answer;
}

/** The same answer, or none where the page has been in the back/forward cache and it does not come soon after that. */
function unlessLost<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  const over = new AbortController();
  const lost = new Promise<undefined>((done) => {
    const returned = ({ persisted }: PageTransitionEvent) => persisted && setTimeout(done, RETURNED_MS);
    addEventListener('pageshow', returned, { signal: over.signal });
  });
  return Promise.race([answer, lost]).finally(() => over.abort());
}
