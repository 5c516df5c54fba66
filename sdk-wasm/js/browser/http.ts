/** HTTP requests: a POST of plain text that needs no preflight, and a GET that asks the server first. */

/** Time after which a request is given up: longer than any answer of a healthy server takes. */
const TIMEOUT_MS = 30_000;
/** All requests that may outlive the page share 64 KiB; a larger body has to do without. */
const MAX_KEEPALIVE_BYTES = 60 * 1_024;

/** An answer of a server. */
export interface Answer {
  status: number;
  /** `Retry-After` as sent. */
  retryAfter: string | null;
  /** `Attune-Candidate` as sent. */
  candidate: string | null;
  body: Uint8Array<ArrayBuffer>;
}

/** Posts a body as `text/plain`; the request may outlive its page, unless told otherwise. No answer is nothing. */
export function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  outlives = true,
): Promise<Answer | undefined> {
  return send(url, {
    method: 'POST',
    body,
    // The only content type besides form data that costs no preflight.
    headers: { 'content-type': 'text/plain' },
    keepalive: outlives && body.length <= MAX_KEEPALIVE_BYTES,
  });
}

/**
 * Gets a body; unless told otherwise, the browser's cache answers only after the server has confirmed it. No answer is
 * nothing.
 */
export function get(url: string, cache: RequestCache = 'no-cache'): Promise<Answer | undefined> {
  return send(url, { cache });
}

async function send(url: string, options: RequestInit): Promise<Answer | undefined> {
  const control = new AbortController();
  // It covers the body too.
  const timeout = setTimeout(() => control.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, { ...options, credentials: 'omit', signal: control.signal });
    const { status, headers } = response;
    const body = new Uint8Array(await response.arrayBuffer());
    const [retryAfter, candidate] = [headers.get('retry-after'), headers.get('attune-candidate')];
    return { status, retryAfter, candidate, body };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timeout);
  }
}
