/** A server of a test's own on loopback. */

import { once } from 'node:events';
import { createServer } from 'node:http';

/** Answers requests on a free port until it is closed. */
export async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
