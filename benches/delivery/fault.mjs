/** The server that pages deliver to: it counts requests, and is down, refuses, is slow or loses answers when told. */

import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../tests/e2e/rig/listen.mjs';

/** What every answer takes at least, as on a good network: without it, preflights would cost nothing. */
const ROUND_TRIP_MS = 50;

/** How requests are treated. */
export const UP = { kind: 'up' };
/** Connections are reset before anything is read. */
export const DOWN = { kind: 'down' };
/** The next request that delivers is taken in, and its connection is reset before it is answered. */
export const LOSES_ONE_ANSWER = { kind: 'loses' };

/** Requests are refused with this status and these headers. */
export function refusing(status, headers = {}) {
  return { kind: 'refuses', status, headers };
}

/** Requests that deliver are taken in after a delay, if their sender is still there. */
export function slow(delayMs) {
  return { kind: 'slow', delayMs };
}

/**
 * Opens the server. A backend `serve`s what is not refused and pauses before it answers; it says which requests deliver
 * and what events are in them, and may have `assets`: files that are there whatever happens, and are not counted.
 */
export async function openFault(backend) {
  const startedAt = Date.now();
  const log = [];
  const connections = new Set();
  let mode = UP;

  const treat = async (request, response, entry) => {
    // A connection that is used again is tried again by the browser itself, which would hide the fault.
    response.shouldKeepAlive = false;
    if (mode.kind === 'down') return reset(request, entry);
    const body = Buffer.concat(await request.toArray());
    entry.bytes = body.length;
    if (entry.delivers) entry.events = backend.eventsOf(body).length;
    if (request.method === 'OPTIONS') {
      await pause();
      return permit(request, response);
    }
    if (mode.kind === 'refuses') {
      const { status, headers } = mode;
      entry.outcome = status;
      await pause();
      return response.writeHead(status, { ...readable(request), ...headers }).end();
    }
    if (entry.delivers && mode.kind === 'loses') {
      mode = UP;
      await backend.serve(request, undefined, body, pause);
      return reset(request, entry, 'lost');
    }
    if (entry.delivers && mode.kind === 'slow') {
      await sleep(mode.delayMs);
      if (response.destroyed || mode.kind === 'down') return reset(request, entry, 'gone');
    }
    entry.outcome = 'served';
    await backend.serve(request, response, body, pause);
  };
  const server = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://fault');
    const asset = backend.assets?.get(pathname);
    if (asset) return asset(request, response);
    const delivers = request.method !== 'OPTIONS' && backend.delivers(request.method, pathname);
    const entry = { at: Date.now() - startedAt, method: request.method, path: pathname, delivers };
    log.push(entry);
    connections.add(request.socket);
    request.socket.on('close', () => connections.delete(request.socket));
    try {
      await treat(request, response, entry);
    } catch {
      // The sender has left in the middle of it.
      reset(request, entry, 'gone');
    }
  });

  return {
    url: server.url,
    /** Every request with when it came, in ms since the start, and what became of it. */
    log,
    /** Treats requests so from now on; going down also ends what is open. */
    set(next) {
      mode = next;
      log.push({ at: Date.now() - startedAt, mode: [next.kind, next.status].filter(Boolean).join(' ') });
      if (mode.kind === 'down') for (const socket of connections) socket.resetAndDestroy();
    },
    /** How many requests delivered, were preflights, or were anything else. */
    counts() {
      const requests = log.filter((entry) => entry.method);
      const preflights = requests.filter((entry) => entry.method === 'OPTIONS').length;
      const deliveries = requests.filter((entry) => entry.delivers).length;
      return { requests: deliveries, preflights, other_requests: requests.length - preflights - deliveries };
    },
    close: server.close,
  };
}

function pause() {
  return sleep(ROUND_TRIP_MS);
}

/** Headers by which a page may read an answer, as the servers of all SDKs send them. */
export function readable(request) {
  return {
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Retry-After, Date',
  };
}

/** Answers a preflight with everything that it asks for. */
function permit(request, response) {
  const asked = request.headers['access-control-request-headers'];
  response.writeHead(204, {
    ...readable(request),
    'access-control-allow-methods': 'GET, POST, PUT, OPTIONS',
    ...(asked && { 'access-control-allow-headers': asked }),
    'access-control-max-age': '600',
  });
  response.end();
}

function reset(request, entry, outcome = 'reset') {
  entry.outcome = outcome;
  request.socket.resetAndDestroy();
}
