/** What stands between a library and a collector, and fails as what stands there does. */

import { request as send } from 'node:http';
import { listen } from '../../e2e/rig/listen.mjs';

/**
 * Opens a front before a collector. Each of `next` is what becomes of one of the next posts: `refuse` answers 503 in the
 * collector's place; `lose` passes it on and answers 503 although it was taken. `posts` counts what came, `lost` the answers
 * that were lost.
 */
export async function openFront(collectorUrl, next) {
  const front = {
    posts: 0,
    lost: 0,
    ...(await listen((request, response) => answer(request, response))),
  };
  const answer = async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    front.posts += 1;
    const turn = next.shift();
    if (turn === 'refuse') return refuse(response);
    const { method, headers } = request;
    const onward = send(new URL(request.url, collectorUrl), { method, headers }, async (answer) => {
      const text = Buffer.concat(await answer.toArray());
      if (turn === 'lose' && answer.statusCode === 200) {
        front.lost += 1;
        return refuse(response);
      }
      response.writeHead(answer.statusCode, answer.headers).end(text);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  };
  return front;
}

function refuse(response) {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end('{"code":"overloaded","message":"of a test"}');
}
