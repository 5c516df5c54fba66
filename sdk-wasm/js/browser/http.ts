/** HTTP requests: a POST of plain text that needs no preflight, and a GET that asks the server first. */

import { gzip } from './gzip.ts';

/** Time after which a request is given up: longer than any answer of a healthy server takes. */
const TIMEOUT_MS = 30_000;
/** Bodies of more bytes are compressed. */
const COMPRESS_ABOVE_BYTES = 1_024;
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

/**
 * Posts a text as `text/plain`; it may outlive its page. No answer is nothing. `leaves` is asked when the browser is to take
 * the request over: a page that is gone before has sent nothing, and neither has one where it says no.
 */
export async function post(
  url: string,
  text: string,
  leaves: () => boolean = () => true,
): Promise<Answer | undefined> {
  let body = new TextEncoder().encode(text);
  // Only what is worth it waits for the compressor; the rest leaves in this task.
  if (body.length > COMPRESS_ABOVE_BYTES) body = (await gzip(body)) ?? body;
  if (!leaves()) return undefined;
  return send(url, {
    method: 'POST',
    body,
    // The only content type besides form data that costs no preflight.
    headers: { 'content-type': 'text/plain' },
    keepalive: body.length <= MAX_KEEPALIVE_BYTES,
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
