/** Attune: what is delivered is what a real collector has counted. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { Collector, WRITE_KEY } from '../../../tests/e2e/rig/collector.mjs';
import { readJson } from '../peer.mjs';
import { answerWith, folderFiles, pageWith } from '../site.mjs';

const EVENT = 'delivery';
const SCRIPT_DELAY_MS = 500;
/** Numbers that one signal tells apart: up to 64 values are counted exactly. */
const NUMBERS_PER_SIGNAL = 50;
const MAX_NUMBER = 200;
const FIRSTS = Array.from(
  { length: MAX_NUMBER / NUMBERS_PER_SIGNAL },
  (_, at) => 1 + at * NUMBERS_PER_SIGNAL,
);
/** How many events have been counted, and how many numbers of events. */
const RULES = {
  signals: [
    { name: 'events', on: EVENT, aggregate: 'count', window: 'lifetime' },
    ...FIRSTS.map((first) => ({
      name: `numbers_from_${first}`,
      on: EVENT,
      where: { 'metadata.n': { $between: [first, first + NUMBERS_PER_SIGNAL - 1] } },
      of: 'metadata.n',
      aggregate: 'distinct',
      window: 'lifetime',
    })),
  ],
};

export const attune = {
  name: 'attune',
  version: '',
  isOurs: true,

  /** Opens the collector behind the server that pages deliver to. */
  async open() {
    const collector = await Collector.start(RULES);
    const folder = process.env.ATTUNE_SDK;
    const script = answerWith(readFileSync(join(folder, 'attune.js')), 'attune.js', SCRIPT_DELAY_MS);
    return {
      delivers: (method, path) => method === 'POST' && path === '/v1/events',
      eventsOf: (body) => readJson(body).events,
      serve: (...exchange) => forward(collector.url, ...exchange),
      /** With the queueing snippet, the collector serves the SDK. */
      assets: new Map([
        ...folderFiles(folder, '/sdk/').map(([path, file]) => [path, answerWith(file, path)]),
        ['/sdk/attune.js', script],
      ]),
      /** Files of the site. */
      files: (url, first) => [...folderFiles(folder, '/sdk/'), ...pages(folder, url, first)],
      /** What the collector has counted: distinct numbers, those counted once too often, and repeats it refused. */
      async account() {
        const { signals, duplicates } = await collector.summary();
        const numbers = FIRSTS.map((first) => signals[`numbers_from_${first}`] ?? 0);
        const delivered = numbers.reduce((sum, count) => sum + count, 0);
        return { delivered, doubled: (signals.events ?? 0) - delivered, repeats: duplicates };
      },
      close: () => collector.remove(),
    };
  },
};

function pages(folder, url, first) {
  const record = `(metadata) => window.attune.track('${EVENT}', metadata)`;
  const tag = `<script src="/sdk/attune.js" data-write-key="${WRITE_KEY}" data-collector="${url}"></script>`;
  const snippet = readFileSync(join(folder, 'snippet.html'), 'utf8')
    .replace('{{script}}', `${url}/sdk/attune.js`)
    .replace('{{write_key}}', WRITE_KEY);
  const errors = `<script>
    window.rigErrors = [];
    window.attune.onError((error) => window.rigErrors.push(error.code + ': ' + error.message));
  </script>`;
  const rig = '<script src="/rig.js"></script>';
  const opened = `<script>openRig(${record}, Promise.resolve(window.attune.ready));</script>`;
  const early = `<script>openRig(${record}); rig.track(${JSON.stringify(first)});</script>`;
  return [
    ['/index.html', pageWith(rig, tag, errors, opened)],
    ['/early.html', pageWith(rig, snippet, errors, early)],
  ];
}

/** Passes a request on to the collector; without a response, its answer is waited for and dropped. */
async function forward(collector, request, response, body, pause) {
  const { method, headers } = request;
  const onward = send(new URL(request.url, collector), { method, headers });
  response?.on('close', () => onward.destroy());
  onward.end(body);
  const [answer] = await once(onward, 'response');
  if (!response) return await answer.toArray();
  await pause();
  const { 'keep-alive': _, connection: __, ...kept } = answer.headers;
  response.writeHead(answer.statusCode, kept);
  answer.on('error', () => response.destroy());
  answer.pipe(response);
}
