/** Events from their capture until they are in a body that leaves. */

import type { Entries } from '../browser/entries.ts';
import { wallMs } from '../clock.ts';
import type { Core } from '../core/core.ts';
import type { Request } from '../core/effects.ts';
import { FAREWELL, TRACK } from '../core/operations.ts';
import { writeBatch } from './batch.ts';
import type { Capture } from './contract.ts';
import { type Events, type KeptEvent, openEvents, sizesOf, type Waiting } from './events.ts';
import type { Gate } from './filter.ts';
import type { Cut } from './tail.ts';

/** What is needed of the client. */
export interface CapturingOptions {
  core: Core;
  entries: Entries;
  /** Events in memory. */
  waiting: Waiting;
  gate: Gate;
  /** Whose events follow. */
  sender(): Pick<KeptEvent, 'member' | 'lane' | 'user'>;
  /** The context as it leaves. */
  context(): string;
  /** Makes an input, which is followed by asking what is to be sent. */
  input(act: () => void): void;
  /** Does what comes of a call. */
  carryOut(act: () => void): void;
  /** Sends a body; its answer goes to the core. */
  send(request: number, body: string): void;
  /** An event has been given its number. */
  kept(event: KeptEvent): void;
}

/** Events on their way through the core. */
export interface Capturing {
  /** The page's own events. */
  readonly events: Pick<Events, 'settle' | 'forget'>;
  /** The type of the event that is being tracked. */
  tracked(): string | undefined;
  /** Tracks an event, unless the gate drops it; says whether it has. */
  track(capture: Capture): boolean;
  /** Takes the number of the event that is being tracked. */
  keep(seq: number): void;
  /** Writes a batch, to be sent now or by a page that leaves. */
  write(...request: Request): void;
  /** What waits, in bodies that fit. */
  cut(leaves: boolean): Cut[];
}

/** Nothing is being tracked. */
export function openCapturing(options: CapturingOptions): Capturing {
  const { core, entries, waiting, gate, sender, context, input, carryOut, send, kept } = options;
  const events = openEvents(waiting, entries);
  let tracked: KeptEvent | undefined;
  let cuts: Cut[] = [];
  return {
    events,
    tracked: () => tracked?.type,
    track(capture) {
      // The core gives the number; until then the largest one stands for it, so that no event is underestimated.
      const seq = Number.MAX_SAFE_INTEGER;
      const { id, type, ms, session, priority } = capture;
      const { member, lane, user } = sender();
      const left = gate.pass(type, member, capture.metadata);
      if (!left) return false;
      const event = { ...capture, ...left, member, lane, seq, user, isSettled: false };
      const sizes = sizesOf(event);
      input(() => {
        tracked = event;
        core(TRACK, id, type, ms, session, priority, ...sizes);
        tracked = undefined;
      });
      return true;
    },
    keep(seq) {
      if (!tracked) return;
      events.keep(Object.assign(tracked, { seq }));
      kept(tracked);
    },
    write(...request) {
      const [id, , , , numbers] = request;
      const rows = numbers.flatMap((number) => events.get(...number) ?? []);
      const text = (said: string) => (sentAtMs?: number) =>
        writeBatch(request, rows, said, sentAtMs, gate.drops());
      if (id) send(id, text(context())(wallMs()));
      // What is to be said beside events can wait for the next page.
      else if (rows.length) cuts.push({ name: numbers.join(), text: text(context()) });
    },
    cut(leaves) {
      cuts = [];
      carryOut(() => core(FAREWELL, leaves));
      return cuts;
    },
  };
}
