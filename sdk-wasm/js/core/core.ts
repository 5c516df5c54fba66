/** The core in WebAssembly, behind its byte interface. */

import { wallMs } from '../clock.ts';
import { carryOut, type Effects } from './effects.ts';
import type { Operation } from './operations.ts';
import { write } from './writer.ts';

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
  return ([operation, form], ...fields) => {
    const bytes = write(`ff${form}`, [wallMs(), performance.now(), ...fields]);
    view(input(bytes.length), bytes.length).set(bytes);
    const length = call(operation, bytes.length);
    carryOut(view(output(), length), effects);
  };
}
