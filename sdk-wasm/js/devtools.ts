/** The npm entry `attune/devtools`: looks inside a running instance, for a developer panel. */

import type { Attune } from './attune.ts';
import { chain, type DevtoolsPort, devtoolsPort } from './devtools-port.ts';
import type { Inspection } from './inspection.ts';

export type { Inspection, Queue } from './inspection.ts';

/** An event as it was captured. */
export interface TappedEvent {
  event_id: string;
  event_type: string;
  timestamp_ms: number;
  session_id: string;
  metadata: unknown;
}

/** Looks inside; nothing before the WebAssembly half has started. */
export function inspect(attune: Attune): Inspection | undefined {
  const port = attune[devtoolsPort];
  const inside = port.inspect();
  if (!inside) return undefined;
  const { core, ...own } = inside;
  const [named, events, bytes, in_flight, failures, isBreakerOpen, bundle_revision] = core;
  const signals = named.map(([name, isByKey, keys]) => {
    return [name, isByKey ? valuesByKey(port, name, keys) : (port.signal(name) ?? null)];
  });
  const queue = { events, bytes, in_flight, failures, breaker_open: isBreakerOpen > 0 };
  return {
    ...own,
    queue,
    bundle_revision,
    signals: Object.fromEntries(signals),
    decisions: port.decisions(),
  };
}

/** The values under keys that have one now, in order of key. */
function valuesByKey(port: DevtoolsPort, name: string, keys: string[]): Record<string, unknown> {
  const values = [...new Set(keys)].sort().map((key) => [key, port.signal(name, key)] as const);
  return Object.fromEntries(values.filter(([, value]) => value));
}

/** Calls back, at most once a frame, after anything `inspect` shows may have changed. Returns what ends that. */
export function onChange(attune: Attune, callback: () => void): () => void {
  let isDue = false;
  return chain(attune[devtoolsPort], 'changed', () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      callback();
    });
  });
}

/** Calls back with every event captured, those of the SDK itself included. Returns what ends that. */
export function onEvent(attune: Attune, callback: (event: TappedEvent) => void): () => void {
  return chain(attune[devtoolsPort], 'captured', ({ id, type, ms, session, metadata = '{}' }) =>
    callback({
      ...{ event_id: id, event_type: type, timestamp_ms: ms, session_id: session },
      metadata: JSON.parse(metadata),
    }),
  );
}
