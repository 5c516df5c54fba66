/** The core in WebAssembly: one method per operation of its byte interface. */

import { wallMs } from '../clock.ts';
import type { JsonObject } from '../context.ts';
import { carryOut, type Effects } from './effects.ts';
import { write } from './writer.ts';

/** What `attune_bg.wasm` exports. */
export interface CoreExports {
  memory: WebAssembly.Memory;
  input(length: number): number;
  call(operation: number, length: number): number;
  output(): number;
}

/** A JSON object as the core takes it, behind the bytes of its text. */
export type Metadata = [bytes: number, value: JsonObject];

/** One client. The effects of every operation have been carried out when it returns. */
export interface Core {
  start(member: string, lane: string, session: string): void;
  storedEvent(
    priority: number,
    isSettled: boolean,
    member: string,
    lane: string,
    seq: number,
    id: string,
    type: string,
    ms: number,
    session: string,
    bytes: number,
    metadata: Metadata | undefined,
  ): void;
  restore(
    base: Uint8Array | undefined,
    latches: Uint8Array | undefined,
    user: string | undefined,
    lanes: [member: string, lane: string, count: number][],
  ): void;
  track(
    id: string,
    type: string,
    ms: number,
    session: string,
    priority: number,
    bytes: number,
    metadata: Metadata | undefined,
  ): void;
  identify(user: string, freshMember: string, freshLane: string): void;
  reset(freshMember: string, freshLane: string, session: string): void;
  follow(member: string, freshLane: string, session: string): void;
  lane(freshLane: string): void;
  context(context: JsonObject, bytes: number): void;
  bundle(bytes: Uint8Array): void;
  profile(bytes: Uint8Array): void;
  gap(): void;
  /** The request got no answer. */
  unanswered(request: number): void;
  /** The answer was no receipt; `offending` are the positions of the events that are too large. */
  turnedDown(request: number, status: number, retryAfterMs: number | undefined, offending: number[]): void;
  /** The answer was a receipt, whose rows say 1 rejected or 2 retry. */
  received(request: number, accepted: number, clockShiftMs: number, rows: [id: string, kind: number][]): void;
  wake(): void;
  online(): void;
  farewell(leaves: boolean): void;
  poll(): void;
  signal(name: string, key: string | undefined): void;
  inspect(): void;
}

const OPERATIONS: { [Name in keyof Core]: [operation: number, form: string] } = {
  start: [0, 'tuu'],
  storedEvent: [1, 'bbtunutfun?(nv)'],
  restore: [2, '?y?y?t*(tun)'],
  track: [3, 'utfubn?(nv)'],
  identify: [4, 'ttu'],
  reset: [5, 'tuu'],
  follow: [6, 'tuu'],
  lane: [7, 'u'],
  context: [8, 'vn'],
  bundle: [9, 'r'],
  profile: [10, 'r'],
  gap: [11, ''],
  unanswered: [12, 'xn0'],
  turnedDown: [12, 'xn1n?f*n'],
  received: [12, 'xn2nf*(ub)'],
  wake: [13, ''],
  online: [14, ''],
  farewell: [15, 'b'],
  poll: [16, 'x'],
  signal: [17, 't?t'],
  inspect: [18, ''],
};

/** Makes a client of an instance of the WebAssembly file. */
export function openCore({ memory, input, call, output }: CoreExports, effects: Effects): Core {
  // Its buffer is another one after memory has grown.
  const view = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
  const run = (operation: number, form: string, values: unknown[]) => {
    const bytes = write(`ff${form}`, [wallMs(), performance.now(), ...values]);
    view(input(bytes.length), bytes.length).set(bytes);
    const length = call(operation, bytes.length);
    carryOut(view(output(), length), effects);
  };
  const methods = Object.entries(OPERATIONS).map(([name, [operation, form]]) => {
    return [name, (...values: unknown[]) => run(operation, form, values)];
  });
  return Object.fromEntries(methods);
}
