/** The server decides by the bundle in effect, and renders by it. */

import { readFileSync } from 'node:fs';
import { Evaluator } from 'attune/evaluator';
import { Attune } from './attune';
import { Shop } from './shop';

export const dynamic = 'force-dynamic';

export default async function Page() {
  const collector = process.env.COLLECTOR;
  return (
    <Attune collector={collector} decisions={await decide(collector)}>
      <Shop />
    </Attune>
  );
}

async function decide(collector) {
  // Next puts the code of packages into files of its own, where the WebAssembly is not beside it.
  await Evaluator.load(readFileSync('node_modules/attune/dist/core.wasm'));
  const response = await fetch(`${collector}/v1/bundle?k=e2e`, { cache: 'no-store' });
  const evaluator = new Evaluator(new Uint8Array(await response.arrayBuffer()));
  evaluator.set({ context: { page: { path: '/' } } });
  const decisions = evaluator.decide();
  evaluator.free();
  return decisions;
}
