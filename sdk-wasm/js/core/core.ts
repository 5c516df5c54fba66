/** The core in WebAssembly, behind its byte interface. */

import { wallMs } from '../clock.ts';
import { carryOut, type Effects } from './effects.ts';
import { MATCHES, type Operation } from './operations.ts';
import { write } from './writer.ts';

/** Place of the effect that this module carries out itself. */
const MATCH = 18;
/** Most answers in a row that lead to further questions. */
const MAX_ROUNDS = 16;

/** What `attune_bg.wasm` exports. */
export interface CoreExports {
  memory: WebAssembly.Memory;
  input(length: number): number;
  call(operation: number, length: number): number;
  output(): number;
}

/** Carries out an operation of one client; when it returns, so have the effects been. */
export type Core = <Fields extends unknown[]>(operation: Operation<Fields>, ...fields: Fields) => void;

/** Makes a client of an instance of the WebAssembly file. */
export function openCore({ memory, input, call, output }: CoreExports, effects: Effects): Core {
  // Its buffer is another one after memory has grown.
  const view = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
  const matches: boolean[] = [];
  const all: Effects = [...effects];
  all[MATCH] = (question) => {
    const [flags, source = '', ...text] = question.split('\n');
    matches.push(new RegExp(source, flags).test(text.join('\n')));
  };
  let rounds = 0;
  const core: Core = ([operation, form], ...fields) => {
    const bytes = write(form, fields, wallMs(), performance.now());
    view(input(bytes.length), bytes.length).set(bytes);
    const length = call(operation, bytes.length);
    carryOut(view(output(), length), all);
    // One answer may lead to the next question; an evaluation has few in a row, and no end of them is waited for.
    if (matches.length && rounds++ < MAX_ROUNDS) core(MATCHES, matches.splice(0));
    rounds = 0;
  };
  return core;
}
