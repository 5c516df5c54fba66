/** The core in WebAssembly, behind its byte interface. */

import { wallMs } from '../clock.ts';
import { carryOut, type Effects } from './effects.ts';
import { DELIVERY, MATCHES, type Operation, QUESTIONS } from './operations.ts';
import { write } from './writer.ts';

/** Place of the effect that this module carries out itself. */
const MATCH = 18;
/** Most answers in a row that lead to further questions. */
const MAX_ROUNDS = 16;

/** What `attune_bg.wasm` exports, and `attune_first.wasm`. */
export interface CoreExports {
  memory: WebAssembly.Memory;
  input(length: number): number;
  call(operation: number, length: number): number;
  output(): number;
  /** The top of the stack, of a core that is in want of its rest. */
  stack?: WebAssembly.Global<'i32'>;
  /** The functions of such a core by their places. */
  table?: WebAssembly.Table;
}

/** Carries out an operation of one client; when it returns, so have the effects been. */
export type Core = <Fields extends unknown[]>(operation: Operation<Fields>, ...fields: Fields) => void;

/** What becomes of calls while the core is in want of its rest. */
export interface Completion {
  /** Whether decisions wait for it. */
  isHolding(): boolean;
  /** The rest is there: makes the calls that have waited, in their order. */
  complete(): void;
}

/**
 * Makes a client of an instance of the WebAssembly file. A call that needs what a first file does not have traps; it is
 * taken back then, and waits for the rest with all that come after it.
 */
export function openCore(
  { memory, input, call, output, stack }: CoreExports,
  effects: Effects,
): [Core, Completion] {
  // Its buffer is another one after memory has grown.
  const view = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
  const matches: boolean[] = [];
  const all: Effects = [...effects];
  all[MATCH] = (question) => {
    const [flags, source = '', ...text] = question.split('\n');
    matches.push(new RegExp(source, flags).test(text.join('\n')));
  };
  let rounds = 0;
  let held: [operation: number, bytes: Uint8Array][] | undefined = stack && [];
  let isHolding = false;
  const put = (operation: number, bytes: Uint8Array) => {
    view(input(bytes.length), bytes.length).set(bytes);
    return call(operation, bytes.length);
  };
  /** As `put`; where the rest would be needed everything is as it was, and there is no length. */
  const attempt: (...call: Parameters<typeof put>) => number | undefined = (...call) => {
    const before = new Uint8Array(memory.buffer).slice();
    const top = stack?.value;
    try {
      return put(...call);
    } catch {
      view(0, before.length).set(before);
      if (stack) stack.value = top as number;
      return undefined;
    }
  };
  const take = (length: number) => {
    carryOut(view(output(), length), all);
    // One answer may lead to the next question; an evaluation has few in a row, and no end of them is waited for.
    if (matches.length && rounds++ < MAX_ROUNDS) core(MATCHES, matches.splice(0));
    rounds = 0;
  };
  const core: Core = ([operation, form], ...fields) => {
    const bytes = write(form, fields, wallMs(), performance.now());
    if (held) {
      if (QUESTIONS.includes(operation)) return;
      const isOfDelivery = DELIVERY.includes(operation);
      const length = isHolding || isOfDelivery ? undefined : attempt(operation, bytes);
      if (length !== undefined) return take(length);
      isHolding ||= !isOfDelivery;
      held.push([operation, bytes.slice()]);
      return;
    }
    take(put(operation, bytes));
  };
  return [
    core,
    {
      isHolding: () => isHolding,
      complete() {
        const calls = held ?? [];
        held = undefined;
        isHolding = false;
        for (const one of calls) take(put(...one));
      },
    },
  ];
}
