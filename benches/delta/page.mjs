/** What runs in the page of the bench `delta`. */

import { Evaluator, load } from '../eval/engines/attune.mjs';
import { measure } from './measure.mjs';

const bytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
const loaded = bytes('/core.wasm').then((module) => load(module.buffer));

globalThis.bench = async ({ name, attributes, sha256, rounds }) => {
  await loaded;
  const [from, delta] = [await bytes(`/${name}/from`), await bytes(`/${name}/delta`)];
  return measure(Evaluator, { from, delta, sha256, attributes }, rounds);
};
