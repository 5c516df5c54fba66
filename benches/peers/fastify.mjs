/** The server that Fastify's first page shows, for `POST /v1/events`: it parses a batch and answers how many events it has. */

import Fastify from 'fastify';

const app = Fastify({ logger: false, bodyLimit: 2 * 1024 * 1024 });
app.post('/v1/events', async (request) => ({ accepted: request.body.events.length, duplicates: 0 }));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
