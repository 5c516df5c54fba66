/** What the driver offers to its parts. */

import type { KeyValue } from '../browser/storage.ts';
import type { Json } from '../context.ts';
import type { Core } from '../core/core.ts';
import type { Operation } from '../core/operations.ts';

/** One input at a time to the core, the collector's addresses, and errors. */
export interface Driving {
  readonly core: Core;
  /** The site's part of localStorage. */
  readonly storage: KeyValue;
  /** Settles when the core can answer. */
  readonly whole: Promise<void>;
  /** Settles when what is stored has been taken in: what a visitor has done before counts from the first decision on. */
  taken(): Promise<void> | undefined;
  /** Whether the client has ended; answers that are still on their way change nothing on the page. */
  isEnded(): boolean;
  /** Notes whether the collector has answered a question that was none about events, and hands that answer on. */
  heard<Said extends { status: number } | undefined>(answer: Said): Said;
  /** Whether requests seem to be blocked on this side, here or on an earlier page, and nothing is to be asked but probes. */
  isBlocked(): boolean;
  /** Calls the core and gives its answer. */
  ask<Fields extends unknown[]>(operation: Operation<Fields>, ...fields: Fields): Json | undefined;
  /** The member who sends now. */
  member(): string;
  /** Calls the core and carries out all that comes of it. */
  carryOut(act: () => void): void;
  /**
   * The same for an input, after which delivery is asked for; `what` names it in the error, should it be unreadable. Says
   * whether the core could read it.
   */
  input(act: () => void, what?: string): boolean;
  /** Tells the page of an error; most are the world's weather. */
  report(code: string, message: string, isUsage?: boolean): void;
  /** Anything a developer panel shows may have changed. */
  changed(): void;
  /** An address of the collector, with the write key unless another query is given. */
  url(path: string, query?: string): string;
}
