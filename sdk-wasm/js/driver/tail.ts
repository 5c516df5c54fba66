/** The tail: what has not been delivered yet when the page goes. */

import { sendBeacon } from '../browser/beacon.ts';
import { wallMs } from '../clock.ts';

/** A body of what waits: by which events it is known, and its text, with the time at which it leaves where that is known. */
export interface Cut {
  name: string;
  text(sentAtMs: number | undefined): string;
}

/** A body that is ready. */
export interface Ready {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Takes it back from the browser, where it is registered there. */
  takeBack: (() => void) | undefined;
}

/** What is left to be sent when the page is gone. */
export interface Tail {
  /** Whether these bodies, and no others, are ready. */
  holds(cuts: Cut[]): boolean;
  /** Takes a body that is ready. */
  take(one: Ready): void;
  /** Hands what waits to the browser now; it stays stored until a receipt names it. */
  hand(cuts: Cut[]): void;
  /** The page is seen again: what has been handed over may have been in vain. */
  seen(): void;
  /** Takes everything back from the browser. */
  drop(): void;
}

/** An empty tail. */
export function openTail(url: () => string): Tail {
  let ready: Ready[] = [];
  /** What the browser has been handed since the page was last seen. */
  const handed = new Set<string>();
  const find = (name: string) => ready.find((one) => one.name === name);
  return {
    holds: (cuts) => cuts.length === ready.length && cuts.every(({ name }) => find(name)),
    take: (one) => void ready.push(one),
    hand(cuts) {
      for (const { name, takeBack } of ready) if (!cuts.some((one) => one.name === name)) takeBack?.();
      // What the browser does not take waits in the store.
      cuts.every(({ name, text }) => {
        const one = find(name);
        const isTaken = handed.has(name) || one?.takeBack || sendBeacon(url(), one?.bytes ?? text(wallMs()));
        if (isTaken) handed.add(name);
        return isTaken;
      });
    },
    seen: () => handed.clear(),
    drop() {
      for (const { takeBack } of ready) takeBack?.();
      ready = [];
    },
  };
}
