/** Events from their capture until they are in a body that leaves. */

import type { CoreInspection, Request } from '../core/effects.ts';
import { FAREWELL, INSPECT, TRACK } from '../core/operations.ts';
import type { Inside } from '../devtools-port.ts';
import type { Host } from '../host.ts';
import { writeBatch } from './batch.ts';
import type { Capture } from './contract.ts';
import { type Events, type KeptEvent, openEvents, sizesOf, type Waiting } from './events.ts';
import type { Gate } from './filter.ts';
import { openPassing } from './passing.ts';
import type { Tabs } from './tabs.ts';
import { type Cut, openTail, type Tail } from './tail.ts';
import { type TurnOptions, takeTurn } from './turn.ts';

/** Place in a request of how many events a full queue has cost. */
const QUEUE_FULL = 6;

/** What is needed of the client. */
export interface CapturingOptions extends Omit<TurnOptions, 'begun'> {
  /** Knows how many calls have been given up. */
  host: Pick<Host, 'lost'>;
  /** Events in memory. */
  waiting: Waiting;
  gate: Gate;
  /** Hears what a schema does not allow. */
  mistaken(code: string, message: string): void;
  /** The context as it leaves. */
  context(): string;
  /** Does what comes of a call. */
  carryOut(act: () => void): void;
  /** Where events go. */
  url(): string;
  /** Sends a body; its answer goes to the core. */
  send(request: number, body: Cut): void;
  /** Tells every other page. */
  say: Tabs['say'];
}

/** Events on their way through the core. */
export interface Capturing {
  /** The page's own events. */
  readonly events: Pick<Events, 'settle' | 'forget'>;
  /** What is handed over when the page goes. */
  readonly tail: Tail;
  /** A new lane begins. */
  renew(): void;
  /** Takes in how the core stands. */
  inspected(found: CoreInspection): void;
  /** The inside, with the state of a stream where there is one. */
  inspect(stream: Inside['stream'] | undefined): Inside;
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
  /** Takes the page's turn to show what is capped. */
  takeTurn(begun: () => void, ended: () => void): void;
}

/** Nothing is being tracked. */
export function openCapturing(options: CapturingOptions): Capturing {
  const { core, host, entries, waiting, gate, mistaken, sender, context, input, carryOut, send, say } =
    options;
  const events = openEvents(waiting, entries);
  const passing = openPassing(gate, mistaken, host.lost);
  let inspection: CoreInspection;
  let tracked: KeptEvent | undefined;
  let cuts: Cut[] = [];
  /** Events of this task, of which the other pages are told together. */
  let told: KeptEvent[] = [];
  const tell = () => {
    // They count them; this page delivers them.
    const rows = told.map((event) => ({ ...event, isSettled: true }));
    told = [];
    say('events', rows);
  };
  return {
    events,
    tail: openTail(options.url),
    renew: passing.renew,
    inspected(found) {
      inspection = found;
    },
    inspect(stream = 'closed') {
      core(INSPECT);
      const { member, lane, user = null } = sender();
      return { core: inspection, member, lane, user_id: user, stream };
    },
    tracked: () => tracked?.type,
    track(capture) {
      // The core gives the number; until then the largest one stands for it, so that no event is underestimated.
      const seq = Number.MAX_SAFE_INTEGER;
      const { id, type, ms, session, priority } = capture;
      const { member, lane, user } = sender();
      const left = passing.pass(type, member, capture.metadata);
      if (!left) return false;
      const { metadata } = left;
      const isSettled = false;
      const event = { id, type, ms, session, priority, metadata, member, lane, seq, user, isSettled };
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
      tracked.seq = seq;
      events.keep(tracked);
      if (told.push(tracked) === 1) queueMicrotask(tell);
    },
    write(...request) {
      const [id, , , , numbers] = request;
      const rows = numbers.flatMap((number) => events.get(...number) ?? []);
      // What the core has given up itself is counted already.
      request[QUEUE_FULL] += passing.lost();
      const said = context();
      const text = (events: KeptEvent[], sentAtMs: number | undefined) =>
        writeBatch(request, events, said, sentAtMs, passing.drops());
      if (id) return send(id, { rows, text });
      // What is to be said beside events can wait for the next page.
      if (rows.length) cuts.push({ rows, text });
    },
    cut(leaves) {
      cuts = [];
      carryOut(() => core(FAREWELL, leaves));
      return cuts;
    },
    takeTurn: (begun, ended) => void takeTurn({ ...options, begun }).then(ended),
  };
}
