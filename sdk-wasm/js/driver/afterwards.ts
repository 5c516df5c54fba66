/** What may run code of the page waits until an output of the core has been read; an input made there adds to it. */

/** What waits. */
export interface Afterwards {
  /** Has something done when the output has been read. */
  add(act: () => void): void;
  /** Does what waits, in order, unless that is being done already. */
  run(): void;
}

/** Nothing waits. */
export function openAfterwards(): Afterwards {
  const waiting: (() => void)[] = [];
  let isBusy = false;
  return {
    add: (act) => void waiting.push(act),
    run() {
      if (isBusy) return;
      isBusy = true;
      try {
        for (let next = waiting.shift(); next; next = waiting.shift()) next();
      } finally {
        isBusy = false;
      }
    },
  };
}
