/** core.wasm asked without glue: a batch of conditions in, a byte for each out. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = process.env.CORE_WASM ?? join(import.meta.dirname, '../../sdk-wasm/dist/core.wasm');
const { exports: core } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {});

/** Cases are `[attributes, condition, groups]`; the answers are true, false or, of what cannot be read, null. */
export function conditionsHold(cases) {
  const bytes = new TextEncoder().encode(JSON.stringify(cases));
  const question = core.buffer_new(bytes.length);
  new Uint8Array(core.memory.buffer, question, bytes.length).set(bytes);
  const answer = core.conditions_hold(question);
  const answers = Uint8Array.from(new Uint8Array(core.memory.buffer, answer, core.buffer_length(answer)));
  core.buffer_free(answer);
  return Array.from(answers, (byte) => [false, true][byte] ?? null);
}
