/** The driver: one input to the core, then everything carried out that it wants done. */

import { binaryBytes, binaryText } from '../browser/binary.ts';
import { Entries } from '../browser/entries.ts';
import type { KeyValue } from '../browser/storage.ts';
import { Timer } from '../browser/timer.ts';
import { type Turns, watchTurns } from '../browser/turns.ts';
import { wallMs } from '../clock.ts';
import type { Json, JsonObject } from '../context.ts';
import { Core, type CoreExports, type StoredEvent } from '../core/core.ts';
import type { CoreInspection, Effects } from '../core/effects.ts';
import { textOf } from '../core/reader.ts';
import { byteLength } from '../core/writer.ts';
import { Page } from '../dom/page.ts';
import { AttuneError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Settings } from '../options.ts';
import { uuidV7 } from '../uuid.ts';
import { writeBatch, writeEvent } from './batch.ts';
import { Bundles } from './bundles.ts';
import { changesOf, decisionOf } from './decisions.ts';
import { Delivery } from './delivery.ts';
import type { Driving } from './driving.ts';
import { Events, type KeptEvent, type KeptLane, laneOf, readEvent, readLane } from './events.ts';
import { jsonText } from './json.ts';
import { Lanes, MAX_LANE_MS } from './lanes.ts';
import { Push, type PushState } from './push.ts';
import { refusalText } from './refusal.ts';

/** Key of the `anonymous_id`. */
const MEMBER = 'member';
const CRITICAL = 2;
/** What stands between two events of a batch. */
const COMMA_BYTES = 1;

/** What was captured, with everything fixed at the call. */
export interface Capture {
  id: string;
  type: string;
  ms: number;
  session: string;
  /** A JSON object as text. */
  metadata: string | undefined;
  /** Counts up from 0, low. */
  priority: number;
}

/** What a client starts with. */
export interface Start {
  exports: CoreExports;
  host: Host;
  settings: Settings;
  storage: KeyValue | undefined;
  session: string;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** The inside of a client, for a developer panel. */
export interface DriverInspection extends CoreInspection {
  member: string;
  lane: string;
  user_id: string | null;
  stream: PushState;
}

/** One client, from the start of the core until the page is left or the client is shut down. */
export class Driver implements Driving {
  readonly core: Core;

  readonly #host: Host;
  readonly #settings: Settings;
  readonly #entries: Entries;
  readonly #events: Events;
  readonly #lanes: Lanes;
  readonly #page: Page;
  readonly #delivery: Delivery;
  readonly #bundles: Bundles;
  readonly #push: Push;
  readonly #wake = new Timer();
  #member: string;
  #lane: string;
  #user: string | undefined;
  /** When the lane began; nothing where the page has left: if it comes back, its next event begins a new lane. */
  #laneSinceMs: number | undefined;
  #context: JsonObject = {};
  #contextText = '{}';
  #wakeAtMs = 0;
  #isEnded = false;
  /** What may run code of the page waits until the core's output has been read; an input made there adds to it. */
  readonly #later: (() => void)[] = [];
  #isBusy = false;
  #tracked: KeptEvent | undefined;
  #what: string | undefined;

  /** Starts a client with what is stored of its member; the lanes of other page loads follow in a later task. */
  constructor({ exports, host, settings, storage, session, ended }: Start) {
    const now = wallMs();
    const space = `attune/${settings.writeKey}/`;
    this.#host = host;
    this.#settings = settings;
    this.#entries = new Entries(storage, space, () => {
      const message = 'the quota of localStorage is used up; what is not delivered is lost with the page';
      this.report('storage_full', message);
    });
    this.#member = this.#entries.get(MEMBER) || uuidV7(now);
    this.#lane = uuidV7(now);
    this.#laneSinceMs = now;
    if (!this.#entries.get(MEMBER)) this.#entries.put(MEMBER, this.#member);
    this.#events = new Events(this.#entries);
    this.#lanes = new Lanes(space);
    this.#page = new Page((problem, target) => {
      const what = problem === 'loop' ? 'the page keeps undoing' : 'the browser refuses';
      this.report(`action_${problem}`, `${what} an action on ${target}`, true);
    });
    this.#bundles = new Bundles(this, () => host.ready());
    this.#push = new Push(this, this.#entries, settings.collector, (revision) =>
      this.#bundles.heardOf(revision),
    );
    this.#delivery = new Delivery(this, (receipt, isOfMember) => {
      if (isOfMember) this.#push.noteTokens(receipt.memberToken, receipt.streamToken);
      this.#bundles.heardOf(receipt.bundleRevision);
    });
    this.core = new Core(exports, this.#effects());
    this.core.start(this.#member, this.#lane, session);
    if (!storage) {
      const message = 'the browser blocks localStorage; what is not delivered is lost with the page';
      this.report('storage_blocked', message);
    }
    this.#adopt(ended);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get member(): string {
    return this.#member;
  }

  /** Captures an event. */
  track(capture: Capture): void {
    this.#openLane();
    // The core gives the number; until then the largest one stands for it, so that the event is not underestimated.
    const number = { lane: this.#lane, seq: Number.MAX_SAFE_INTEGER };
    const event = { ...capture, ...number, member: this.#member, user: this.#user, isSettled: false };
    const sized = sizedOf(event);
    this.input(() => {
      this.#tracked = event;
      this.core.track(sized);
      this.#tracked = undefined;
    });
    if (capture.priority === CRITICAL) this.#entries.flushSoon();
  }

  /** Binds the visitor to a user; the caller tracks `attune.identify` after it. */
  identify(user: string): void {
    this.#openLane();
    this.input(() => {
      this.core.identify(user, freshId(), freshId());
      this.#user = user;
    });
  }

  /** Begins as a new visitor. */
  reset(session: string): void {
    this.input(() => this.core.reset(freshId(), freshId(), session));
    // Other tabs follow when they see the new member.
    this.#entries.flush();
  }

  /** Becomes the visitor that another tab has begun and stored. */
  follow(member: string, session: string): void {
    if (member !== this.#member) this.input(() => this.core.follow(member, freshId(), session));
  }

  /** Takes the member token that another tab has stored. */
  takeToken(stored: string): void {
    this.#push.takeToken(stored);
  }

  /** Merges fields, a JSON object as text, into the context; `null` removes one. */
  setContext(text: string): void {
    const merged = Object.entries({ ...this.#context, ...JSON.parse(text) } as JsonObject);
    this.#context = Object.fromEntries(merged.filter(([, value]) => value !== null));
    this.#contextText = jsonText(this.#context);
    const bytes = byteLength(this.#contextText);
    this.input(() => this.core.context({ value: this.#context, bytes }), 'the context');
  }

  /** The live value of a signal. */
  signal(name: string, key?: string): Json | undefined {
    return this.core.signal(name, key);
  }

  /** Stores and sends now what waits for it. */
  flush(): void {
    this.#entries.flush();
    this.input(() => this.core.online());
  }

  /** Ends the client: says farewell and takes every change of the page back. */
  shutdown(): void {
    this.#leave();
    this.#isEnded = true;
    this.#delivery.end();
    this.#bundles.end();
    this.#wake.clear();
    this.#page.clear();
  }

  /** The inside, for a developer panel. */
  inspect(): DriverInspection {
    const own = { member: this.#member, lane: this.#lane, user_id: this.#user ?? null };
    return { ...own, ...this.core.inspect(), stream: this.#push.state };
  }

  input(act: () => void, what = 'a call'): void {
    this.#what = what;
    act();
    this.#runLater();
    this.#delivery.request();
    this.changed();
  }

  report(code: string, message: string, isUsage?: boolean): void {
    this.#host.report(new AttuneError(code, message, isUsage ? 'usage' : 'environment'));
  }

  changed(): void {
    if (!this.#isEnded) this.#host.changed();
  }

  url(path: string): string {
    return `${this.#settings.collector}${path}?k=${this.#settings.writeKey}`;
  }

  #runLater(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let act = this.#later.shift(); act; act = this.#later.shift()) act();
    } finally {
      this.#isBusy = false;
    }
  }

  #effects(): Effects {
    const entries = this.#entries;
    const events = this.#events;
    const delivery = this.#delivery;
    return {
      kept: (seq) => this.#tracked && events.keep({ ...this.#tracked, lane: this.#lane, seq }),
      settled: (lane, seq) => events.settle(lane, seq),
      forgotten: (lane, seq) => events.forget(lane, seq),
      put: (name, bytes) => entries.put(name, name === 'user' ? textOf(bytes) : binaryText(bytes)),
      delete: (name) => entries.delete(name),
      laneForgotten: (lane) => entries.delete(`lane/${lane}`),
      decision: (slot, filling) => {
        this.#later.push(() => {
          if (this.#isEnded) return;
          this.#page.set(slot, changesOf(filling));
          this.#host.decision(slot, filling && decisionOf(slot, filling));
        });
      },
      shown: (rule, key) => {
        this.#later.push(() => this.#isEnded || this.#host.shown({ rule, key }));
      },
      sender: (member, lane) => this.#noteSender(member, lane),
      refused: (code, actual, limit) => this.#refuse(code, actual, limit),
      request: (request) => {
        const rows = request.events.flatMap(({ lane, seq }) => events.get(lane, seq) ?? []);
        const body = writeBatch(request, rows, this.#contextText, wallMs());
        if (request.id > 0) delivery.send(request.id, body);
        else delivery.prepare(body);
      },
      wait: (atMs) => delivery.wait(atMs),
      wake: (atMs) => this.#setWake(atMs),
      failed: (code) => {
        // Of what is tracked only metadata can be too deep to be read.
        if (this.#tracked) this.#refuse('metadata_not_an_object', 0, 0);
        else this.#reportLater(code, `${this.#what} cannot be read`);
      },
      unreadable: (name) => this.#forgetUnreadable(name),
    };
  }

  #refuse(code: string, actual: number, limit: number): void {
    this.#reportLater(code, `${this.#tracked?.type}: ${refusalText(code, actual, limit)}`, true);
  }

  #reportLater(code: string, message: string, isUsage?: boolean): void {
    this.#later.push(() => this.report(code, message, isUsage));
  }

  /** Stores a new member, locks a new lane, and ends a stream that belonged to another member. */
  #noteSender(member: string, lane: string): void {
    if (lane === this.#lane && member === this.#member) return;
    const isAnother = member !== this.#member;
    this.#laneSinceMs = wallMs();
    this.#member = member;
    this.#lane = lane;
    this.#lanes.hold(lane);
    if (!isAnother) return;
    this.#user = undefined;
    this.#entries.put(MEMBER, member);
    this.#push.forget();
  }

  #setWake(atMs: number): void {
    if (this.#isEnded || (this.#wake.isSet && atMs === this.#wakeAtMs)) return;
    this.#wakeAtMs = atMs;
    if (atMs === 0) this.#wake.clear();
    else this.#wake.set(Math.max(0, atMs - wallMs()), () => this.input(() => this.core.wake()));
  }

  /** A lane ends with its page, and after 24 h. */
  #openLane(): void {
    const isOpen = this.#laneSinceMs !== undefined && wallMs() - this.#laneSinceMs < MAX_LANE_MS;
    if (!isOpen && !this.#isEnded) this.core.lane(freshId());
  }

  /** Takes stored entries back once it is known whose they are. */
  async #adopt(ended: AbortSignal): Promise<void> {
    this.#lanes.hold(this.#lane);
    const entries = this.#entries;
    const stored = entries.keys().map((key) => [key, entries.get(key) ?? ''] as const);
    const lanes = new Set(stored.flatMap(([key]) => laneOf(key) ?? []));
    const adopted = await this.#lanes.adopt([...lanes]);
    const unreadable: string[] = [];
    const counts: KeptLane[] = [];
    for (const [key, text] of stored.filter(([key]) => adopted.has(laneOf(key) ?? ''))) {
      const event = key.startsWith('event') ? readEvent(key, text) : undefined;
      const count = event ? undefined : readLane(key, text);
      if (event) {
        this.#events.take(event);
        this.core.storedEvent(sizedOf(event));
      }
      if (count) counts.push(count);
      if (!event && !count) unreadable.push(key);
    }
    const [base, latches] = ['base', 'latches'].map((name) => {
      const text = entries.get(name);
      return text === undefined ? text : binaryBytes(text);
    });
    const user = entries.get('user');
    this.#user = user;
    this.input(() => {
      this.core.restore({ base, latches, user, lanes: counts });
      for (const key of unreadable) this.#forgetUnreadable(key);
    });
    watchTurns(this.#turns(), ended);
    this.#host.started();
    this.#bundles.fetch();
    this.#push.open();
  }

  #forgetUnreadable(key: string): void {
    this.#entries.delete(key);
    this.#reportLater('stored_entry_unreadable', `a stored entry cannot be read and is forgotten: ${key}`);
  }

  #turns(): Turns {
    return {
      hidden: () => {
        this.#sayFarewell(false);
        this.#push.rest();
      },
      visible: () => this.#push.open(),
      leaving: () => this.#leave(),
      restored: () => {
        this.#openLane();
        this.input(() => this.core.wake());
        this.#push.open();
        this.#bundles.fetch();
      },
      online: () => {
        this.input(() => this.core.online());
        this.#push.open();
      },
    };
  }

  #leave(): void {
    this.#laneSinceMs = undefined;
    this.#sayFarewell(true);
    this.#push.close();
    // A page that holds a lock is not kept in the back/forward cache.
    this.#lanes.release();
  }

  /** Stores everything and hands what is unsent to the browser; it stays stored until a receipt names it. */
  #sayFarewell(leaves: boolean): void {
    this.core.farewell(leaves);
    this.#entries.flush();
    this.#delivery.sayFarewell();
  }
}

/** An event as the core takes it. */
function sizedOf(event: KeptEvent): StoredEvent {
  const { metadata: text } = event;
  const metadata = text === undefined ? text : { value: JSON.parse(text), bytes: byteLength(text) };
  return { ...event, metadata, bytes: byteLength(writeEvent(event)) + COMMA_BYTES };
}

function freshId(): string {
  return uuidV7(wallMs());
}
