/** What stands between pages and a collector: it passes everything on, keeps what is posted, and changes the bundles that a test wants changed. */

import { request as send } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { listen } from './listen.mjs';

/**
 * Opens a gate before a collector; `spoil`, where it is set, makes other bytes of those below `/v1/bundle/`. The bodies of
 * all posts are kept in `posted`, as texts. `refuse`, where it is set, is the answer to every batch of events instead of the
 * collector's: its `status`, and `retryAfter`. `held`, where it is set, is what the next batch waits for before it is passed on,
 * unless whoever has sent it goes meanwhile.
 */
export async function openGate(collectorUrl) {
  const gate = {
    spoil: undefined,
    refuse: undefined,
    held: undefined,
    asked: [],
    posted: [],
    ...(await listen((request, response) => pass(request, response))),
  };
  const pass = async (request, response) => {
    const { pathname } = new URL(request.url, collectorUrl);
    const { method, headers } = request;
    gate.asked.push(pathname);
    if (gate.refuse && method === 'POST' && pathname === '/v1/events') {
      const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After' };
      request.resume();
      return response
        .writeHead(gate.refuse.status, { ...cors, 'retry-after': gate.refuse.retryAfter })
        .end('{"code":"quota","message":"of a test"}');
    }
    if (gate.held && method === 'POST' && pathname === '/v1/events') {
      const held = gate.held;
      gate.held = undefined;
      await held;
      if (response.destroyed) return;
    }
    // What is spoiled must not come compressed, nor be said to be what the browser has.
    const { 'accept-encoding': _, 'if-none-match': __, ...plain } = headers;
    const onward = send(new URL(request.url, collectorUrl), { method, headers: plain }, async (answer) => {
      const isSpoiled = gate.spoil && pathname.startsWith('/v1/bundle/') && answer.statusCode === 200;
      response.writeHead(answer.statusCode, answer.headers);
      if (!isSpoiled) return answer.pipe(response);
      const bytes = Buffer.concat(await answer.toArray());
      response.end(gate.spoil(pathname, bytes));
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
    if (method === 'POST') keep(request);
  };
  const keep = (request) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      gate.posted.push((isGzip(bytes) ? gunzipSync(bytes) : bytes).toString());
    });
  };
  return gate;
}

function isGzip(bytes) {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
