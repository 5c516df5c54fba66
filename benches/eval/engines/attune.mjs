/** Attune: `attune/evaluator` as it is published, over `core.wasm` and a compiled bundle. */

import { Evaluator } from '../../../sdk-wasm/dist/evaluator.js';

export { Evaluator };

/** Compiles and instantiates the module. */
export async function load(module) {
  const { fetch } = globalThis;
  const { instantiate } = WebAssembly;
  let memory;
  // The bytes are there already; what is left of `fetch` is handing them over.
  globalThis.fetch = async () => new Response(module);
  WebAssembly.instantiate = async (...given) => {
    const made = await instantiate.apply(WebAssembly, given);
    memory = made.instance.exports.memory;
    return made;
  };
  try {
    await Evaluator.load('https://core.invalid/core.wasm');
  } finally {
    Object.assign(globalThis, { fetch });
    Object.assign(WebAssembly, { instantiate });
  }
  return () => memory.buffer.byteLength;
}

export function start(bundle) {
  const evaluator = new Evaluator(bundle);
  return {
    path: (name) => `traits.${name}`,
    full(attributes) {
      evaluator.set({ traits: attributes });
      return evaluator.decide();
    },
    change: (path, value) => evaluator.change(path, value),
    holding: () => evaluator.decide().map(({ rule }) => rule),
  };
}
