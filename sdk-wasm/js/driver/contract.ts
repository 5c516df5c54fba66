/** What a driver can be asked for, and what it starts with. */

import type { Change } from '../browser/database.ts';
import type { Entries } from '../browser/entries.ts';
import type { Answer } from '../browser/http.ts';
import type { KeyValue } from '../browser/storage.ts';
import type { Json } from '../context.ts';
import type { CoreExports } from '../core/core.ts';
import type { Inside } from '../devtools-port.ts';
import type { Judges } from '../filter/judges.ts';
import type { Host } from '../host.ts';
import type { Settings } from '../options.ts';
import type { KeptEvent } from './events.ts';
import type { Lanes } from './lanes.ts';

/** What was captured, with everything fixed at the call. */
export type Capture = Pick<KeptEvent, 'id' | 'type' | 'ms' | 'session' | 'metadata' | 'priority'>;

/** One client, from the start of the core until the page is left or the client is shut down. */
export interface Driver {
  /** Whether nothing may be captured yet, since what judges it is not there. */
  isWaiting(): boolean;
  /** Whether it only decides yet: nothing may be captured, and calls about the visitor wait. */
  isShort(): boolean;
  /** Settles when that ends, and fails where it cannot; in either case not before what is stored has been taken in. */
  readonly whole: Promise<void>;
  /** Captures an event. */
  track(capture: Capture): void;
  /** Binds the visitor to a user; the caller tracks `attune.identify` after it. */
  identify(user: string): void;
  /** Begins as a new visitor. */
  reset(session: string): void;
  /** Merges fields, a JSON object as text, into the context; `null` removes one. */
  setContext(fields: string): void;
  /** Takes in which purposes are granted, by bits, and whether `admit` follows. */
  consent(granted: number, isComing?: boolean): void;
  /** Takes in what is stored, and from now on events; `lane` is held. */
  admit(stored: Change[], lane: string, session: string): void;
  /**
   * Forgets the visitor, and all that has not been sent; the host has deleted what was stored. Says who it was. Whoever
   * comes may be told by `admit`.
   */
  forget(session: string, isComing?: boolean): string | undefined;
  /** Becomes the visitor that another tab has begun and stored, if that is another one: only then the session is asked for. */
  follow(member: string, session: () => string): void;
  /** The member and its token, in a line each, where one is known. */
  token(): string | undefined;
  /** The live value of a signal. */
  signal(name: string, key?: string): Json | undefined;
  /** Stores and sends now what waits for it. */
  flush(): void;
  /** Ends the client: says farewell and takes every change of the page back. */
  shutdown(): void;
  /** The inside but for decisions and values, for a developer panel; nothing while it only decides. */
  inspect(): Inside | undefined;
}

/** Loads what shows a preview in place of a driver; it fails where the token does not hold. */
export type LoadPreview = () => Promise<{
  openPreview(settings: Settings, host: Pick<Host, 'decision' | 'report'>): Promise<Driver>;
}>;

/** Loads what captures. */
export type LoadCapturing = () => Promise<typeof import('../capturing.ts')>;

/** Loads what runs behind the first decision. */
export type LoadBackground = () => Promise<typeof import('../background.ts')>;

/** Loads what takes back what earlier page loads have stored. */
export type LoadRestore = () => Promise<typeof import('../restore.ts')>;

/** What a client starts with. */
export interface Start {
  host: Host;
  settings: Settings;
  storage: KeyValue;
  entries: Entries;
  /** Whether nothing may be captured before it is known what policy the bundle has. */
  awaitsPolicy: boolean;
  /** What was stored when the page began; nothing while the visitor has not agreed to that, until `admit`. */
  stored: Change[] | undefined;
  /** The locks of lanes, and the lane that this page has begun and holds. */
  lanes: Lanes;
  lane: string;
  session: string;
  /** Loads what runs behind the first decision, however long that takes. */
  loadBackground: LoadBackground;
  /** Says when to stop listening to the page. */
  ended: AbortSignal;
}

/** What makes a client. */
export type StartDriver = (start: Start) => Driver;

/** What a client with a core starts with. */
export interface CoreStart extends Start {
  exports: CoreExports;
  /** Brings what captures, and the rest of a core of which only the first file is there. */
  rest: ReturnType<LoadCapturing>;
  /** The collector's answer to the first question for its rules, which was asked beside the core's file. */
  bundle: Promise<Answer | undefined> | undefined;
  /** Judges by the site's policy, where it has one. */
  site: Judges | undefined;
}
