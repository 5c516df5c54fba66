/** Keeps calls, with id and time fixed, until the script that makes them is there. */

/** A call: method, values, event id, time, and where its return value belongs. */
export type QueuedCall = [method: string, values: unknown[], id: string, ms: number, result?: unknown];

/** Calls in the order in which they came, with a method for each kind. */
export type CallQueue = QueuedCall[] & Record<string, unknown>;

/** An empty queue. */
export function openQueue(): CallQueue {
  const calls = [] as unknown as CallQueue;
  for (const method of 'track page identify group reset setContext consent forget onDecision onError flush init'.split(
    ' ',
  )) {
    calls[method] = (...values: unknown[]) => {
      const ms = Date.now();
      const time = ms.toString(16).padStart(12, '0');
      const random = crypto.getRandomValues(new Uint8Array(32));
      const tail = '-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, (_, at: number) =>
        ((random[at] ?? 0) & 15).toString(16),
      );
      const id = `${time.slice(0, 8)}-${time.slice(8)}${tail}`;
      const call: QueuedCall = [method, values, id, ms];
      calls.push(call);
      if (method[0] !== 'o') return id;
      return () => {
        if (call[4]) (call[4] as () => void)();
        else call[0] = '';
      };
    };
  }
  return calls;
}
