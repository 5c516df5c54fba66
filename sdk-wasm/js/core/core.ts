/** The core in WebAssembly, one method per operation of its byte interface. */

import { wallMs } from '../clock.ts';
import type { Json, JsonObject } from '../context.ts';
import { type CoreInspection, carryOut, type Effects } from './effects.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** What `attune_bg.wasm` exports. */
export interface CoreExports {
  memory: WebAssembly.Memory;
  input(length: number): number;
  call(operation: number, length: number): number;
  output(): number;
}

/** JSON as the core takes it: the value, and how many bytes its text takes. */
export interface Sized<Value> {
  value: Value;
  bytes: number;
}

/** An event as it is tracked. */
export interface TrackedEvent {
  id: string;
  type: string;
  ms: number;
  session: string;
  /** Counts up from 0, low. */
  priority: number;
  /** Bytes it takes in a batch at most. */
  bytes: number;
  metadata: Sized<JsonObject> | undefined;
}

/** An event as it was stored. */
export interface StoredEvent extends TrackedEvent {
  member: string;
  lane: string;
  seq: number;
  isSettled: boolean;
}

/** What the host has stored beside events. */
export interface Restored {
  base: Uint8Array | undefined;
  latches: Uint8Array | undefined;
  user: string | undefined;
  /** Counts of the lanes whose page is gone. */
  lanes: { member: string; lane: string; count: number }[];
}

/** What became of a request. */
export type Outcome = 'no answer' | Refusal | Settlement;

/** An answer that is no receipt. */
export interface Refusal {
  status: number;
  retryAfterMs: number | undefined;
  /** Positions of the events that are too large. */
  offending: number[];
}

/** What a receipt settles. */
export interface Settlement {
  accepted: number;
  clockShiftMs: number;
  rows: { id: string; isRetry: boolean }[];
}

/** One client. The effects of every operation are carried out before it returns. */
export class Core {
  readonly #exports: CoreExports;
  readonly #effects: Effects;
  readonly #writer = new Writer();

  constructor(exports: CoreExports, effects: Effects) {
    this.#exports = exports;
    this.#effects = effects;
  }

  start(member: string, lane: string, session: string): void {
    this.#run(0, this.#input().text(member).uuid(lane).uuid(session));
  }

  storedEvent(event: StoredEvent): void {
    const { priority, isSettled, member, lane, seq, id, type, ms, session } = event;
    const input = this.#input().byte(priority).byte(isSettled).text(member).uuid(lane).count(seq);
    this.#run(1, writeContent(input.uuid(id).text(type).float(ms).uuid(session), event));
  }

  restore({ base, latches, user, lanes }: Restored): void {
    const input = this.#input();
    const bytes = (value: Uint8Array) => input.bytes(value);
    input.option(base, bytes).option(latches, bytes);
    input.option(user, (text) => input.text(text));
    input.list(lanes, ({ member, lane, count }) => input.text(member).uuid(lane).count(count));
    this.#run(2, input);
  }

  track(event: TrackedEvent): void {
    const { id, type, ms, session, priority } = event;
    const input = this.#input().uuid(id).text(type).float(ms).uuid(session).byte(priority);
    this.#run(3, writeContent(input, event));
  }

  identify(user: string, freshMember: string, freshLane: string): void {
    this.#run(4, this.#input().text(user).text(freshMember).uuid(freshLane));
  }

  reset(freshMember: string, freshLane: string, session: string): void {
    this.#run(5, this.#input().text(freshMember).uuid(freshLane).uuid(session));
  }

  follow(member: string, freshLane: string, session: string): void {
    this.#run(6, this.#input().text(member).uuid(freshLane).uuid(session));
  }

  lane(freshLane: string): void {
    this.#run(7, this.#input().uuid(freshLane));
  }

  context({ value, bytes }: Sized<JsonObject>): void {
    this.#run(8, this.#input().value(value).count(bytes));
  }

  bundle(bytes: Uint8Array): void {
    this.#run(9, this.#input().rest(bytes));
  }

  profile(bytes: Uint8Array): void {
    this.#run(10, this.#input().rest(bytes));
  }

  gap(): void {
    this.#run(11);
  }

  outcome(request: number, outcome: Outcome): void {
    const input = this.#input().rest(random()).count(request);
    if (outcome === 'no answer') input.byte(0);
    else if ('status' in outcome) {
      input.byte(1).count(outcome.status);
      input.option(outcome.retryAfterMs, (ms) => input.float(ms));
      input.list(outcome.offending, (place) => input.count(place));
    } else {
      input.byte(2).count(outcome.accepted).float(outcome.clockShiftMs);
      input.list(outcome.rows, ({ id, isRetry }) => input.uuid(id).byte(isRetry ? 2 : 1));
    }
    this.#run(12, input);
  }

  wake(): void {
    this.#run(13);
  }

  online(): void {
    this.#run(14);
  }

  farewell(leaves: boolean): void {
    this.#run(15, this.#input().byte(leaves));
  }

  poll(): void {
    this.#run(16, this.#input().rest(random()));
  }

  signal(name: string, key?: string): Json | undefined {
    const input = this.#input().text(name);
    return this.#run(
      17,
      input.option(key, (text) => input.text(text)),
    ) as Json | undefined;
  }

  inspect(): CoreInspection {
    return this.#run(18) as CoreInspection;
  }

  #input(): Writer {
    return this.#writer.begin().float(wallMs()).float(performance.now());
  }

  #run(operation: number, { written }: Writer = this.#input()): unknown {
    const { memory, input, call, output } = this.#exports;
    const { length } = written;
    // Its buffer is another one after memory has grown.
    const view = (at: number, bytes: number) => new Uint8Array(memory.buffer, at, bytes);
    const at = input(length);
    view(at, length).set(written);
    const answered = call(operation, length);
    return carryOut(new Reader(view(output(), answered)), this.#effects);
  }
}

function writeContent(input: Writer, { bytes, metadata }: TrackedEvent): Writer {
  return input.count(bytes).option(metadata, (json) => input.count(json.bytes).value(json.value));
}

function random(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(8));
}
