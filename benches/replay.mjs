/** Feeds events to `attune/evaluator` in Node: one JSON array a line on stdin; one line of figures on stdout. */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Evaluator } from '../sdk-wasm/dist/evaluator.js';

const [bundle, priceSignal] = process.argv.slice(2);
const evaluator = new Evaluator(readFileSync(bundle));
const counted = { accepted: 0, duplicates: 0 };
const fired = [];

for await (const line of createInterface({ input: process.stdin })) {
  const { accepted, duplicates, firings, errors } = evaluator.absorb(line);
  if (errors.length > 0) throw new Error(`refused: ${JSON.stringify(errors[0])}`);
  counted.accepted += accepted;
  counted.duplicates += duplicates;
  fired.push(...firings.map(({ id, key }) => ({ id, key })));
}

const { profiles, events, firings, signals } = evaluator.summary();
evaluator.free();
console.log(
  JSON.stringify({ events, ...counted, profiles, firings, price_cents: signals[priceSignal], fired }),
);
