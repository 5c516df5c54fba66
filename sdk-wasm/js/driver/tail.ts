/** The tail: what has not been delivered yet, kept ready for the moment the page is gone. */

import { sendBeacon } from '../browser/beacon.ts';
import { gzip } from '../browser/gzip.ts';
import { postLater } from '../browser/later.ts';
import { timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';

/** How long after a change the tail is made ready: longer than a healthy collector takes to answer. */
const READY_AFTER_MS = 250;
/** Everything that outlives a page shares 64 KiB. */
const MAX_BYTES = 60 * 1_024;

/** A body of what waits: by which events it is known, and its text, with the time at which it leaves where that is known. */
export interface Cut {
  name: string;
  text(sentAtMs: number | undefined): string;
}

/** What is left to be sent when the page is gone. */
export interface Tail {
  /** What waits to be delivered may have changed. */
  changed(): void;
  /** Hands what waits to the browser now; it stays stored until a receipt names it. */
  hand(cuts: Cut[]): void;
  /** The page is seen again: what has been handed over may have been in vain. */
  seen(): void;
  /** Takes everything back from the browser. */
  drop(): void;
  /** Makes nothing ready any more; what the browser has stays with it. */
  end(): void;
}

interface Ready {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Takes it back from the browser, where it is registered there. */
  takeBack: (() => void) | undefined;
}

/** An empty tail; `cut` gives what waits now. */
export function openTail(url: () => string, cut: () => Cut[]): Tail {
  const due = timer();
  let ready: Ready[] = [];
  /** What the browser has been handed since the page was last seen. */
  const handed = new Set<string>();

  const clear = () => {
    for (const { takeBack } of ready) takeBack?.();
    ready = [];
  };
  const find = (name: string) => ready.find((one) => one.name === name);
  const prepare = async () => {
    const cuts = cut();
    if (cuts.length === ready.length && cuts.every(({ name }) => find(name))) return;
    const made = await Promise.all(
      cuts.map(async ({ name, text }): Promise<Ready> => {
        // It leaves nobody knows when.
        const plain = new TextEncoder().encode(text(undefined));
        return { name, bytes: (await gzip(plain)) ?? plain, takeBack: undefined };
      }),
    );
    // Something has changed meanwhile, and the next turn is due.
    if (due.isSet()) return;
    clear();
    let room = MAX_BYTES;
    for (const one of made) {
      room -= one.bytes.length;
      if (room < 0) break;
      one.takeBack = postLater(url(), one.bytes);
      ready.push(one);
    }
  };
  return {
    changed() {
      if (!due.isSet()) due.set(READY_AFTER_MS, prepare);
    },
    hand(cuts) {
      due.clear();
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
    drop: clear,
    end: due.clear,
  };
}
