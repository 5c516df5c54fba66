/** The tail: what has not been delivered yet when the page goes. */

import { sendBeacon } from '../browser/beacon.ts';
import { postLater } from '../browser/later.ts';
import { wallMs } from '../clock.ts';
import type { KeptEvent } from './events.ts';

/** A body of what waits. */
export interface Cut {
  /** Its events, the most urgent first. */
  rows: KeptEvent[];
  /** Its text with these of its events, and with the time at which it leaves where that is known. */
  text(rows: KeptEvent[], sentAtMs: number | undefined): string;
}

/** A body that is ready. */
export interface Ready {
  rows: KeptEvent[];
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
  /** Hands what waits to the browser now, but what it has already; it stays stored until a receipt names it. */
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
  const handed = new Set<KeptEvent>();
  const isNew = (row: KeptEvent) => !handed.has(row);
  const beacon = (rows: KeptEvent[], body: string | Uint8Array<ArrayBuffer>) => {
    const isTaken = sendBeacon(url(), body);
    if (isTaken) for (const row of rows) handed.add(row);
    return isTaken;
  };
  /** Has the browser post it when the page is gone: there is other room for that than for beacons. */
  const leave = (rows: KeptEvent[], text: string) => {
    const bytes = new TextEncoder().encode(text);
    const takeBack = postLater(url(), bytes);
    return takeBack && ready.push({ rows, bytes, takeBack });
  };
  return {
    holds: (cuts) =>
      cuts.length === ready.length &&
      cuts.every(({ rows }, cut) => {
        const other = ready[cut]?.rows ?? [];
        return rows.length === other.length && rows.every((row, place) => row === other[place]);
      }),
    take: (one) => void ready.push(one),
    hand(cuts) {
      const waiting = new Set(cuts.flatMap(({ rows }) => rows));
      ready = ready.filter(({ rows, takeBack }) => {
        const isGood = rows.every((row) => waiting.has(row));
        if (!isGood) takeBack?.();
        return isGood;
      });
      for (const { rows, bytes, takeBack } of ready) if (!takeBack && rows.every(isNew)) beacon(rows, bytes);
      const left = new Set(ready.flatMap(({ rows, takeBack }) => (takeBack ? rows : [])));
      for (const { rows, text } of cuts) {
        let some = rows.filter((row) => isNew(row) && !left.has(row));
        if (!some[0] || beacon(some, text(some, wallMs())) || leave(some, text(some, undefined))) continue;
        // All scripts of the page share the room: less may fit, and what does not waits in the store.
        do some = some.slice(0, some.length / 2);
        while (some[0] && !beacon(some, text(some, wallMs())));
        return;
      }
    },
    seen: () => handed.clear(),
    drop() {
      for (const { takeBack } of ready) takeBack?.();
      ready = [];
    },
  };
}
