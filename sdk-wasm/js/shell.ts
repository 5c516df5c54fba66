/** The WebAssembly half as TypeScript sees it, and what it asks of this half. */

/** What `sdk-wasm/src/lib.rs` exports. Ids are texts, times milliseconds since 1970, structures JSON texts. */
export interface Shell {
  track(
    eventId: string,
    eventType: string,
    timestampMs: number,
    sessionId: string,
    metadata: string | undefined,
    priority: number,
  ): void;
  identify(userId: string): void;
  reset(sessionId: string): void;
  follow(anonymousId: string, sessionId: string): void;
  take_token(stored: string): void;
  set_context(values: string): void;
  variable(name: string): string | undefined;
  signal(name: string, key?: string): string | undefined;
  flush(): void;
  shutdown(): void;
  inspect(): string;
}

/** What the WebAssembly half calls. None of it may throw. */
export interface Host {
  /** What earlier page loads stored has been taken back: buffered calls may follow. */
  started(): void;
  /** The first attempt at fetching the bundle has ended. */
  ready(): void;
  /** A slot's decision has changed; nothing where the slot is empty now. */
  decision(slot: string, json: string | undefined): void;
  /** A capped rule has been shown. */
  shown(metadata: string): void;
  /** Something went wrong. */
  error(code: string, message: string, isUsage: boolean): void;
  /** Anything a developer panel shows may have changed. */
  changed(): void;
}

/** The calls that are kept until the WebAssembly half has started. */
export type BufferedMethod = 'track' | 'identify' | 'reset' | 'set_context';

/** A call of the shell as data. */
export type ShellCall = {
  [Method in BufferedMethod]: [Method, ...Parameters<Shell[Method]>];
}[BufferedMethod];
