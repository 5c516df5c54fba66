/** What the hooks below one provider read: the page's Attune, and until it decides what the server has given. */

import type { Attune } from '../attune.ts';
import type { Json } from '../context.ts';
import { chain, devtoolsPort } from '../devtools-port.ts';
import { usageError } from '../errors.ts';
import { type Given, type GivenDecision, openGiven, type SlotDecision } from './given.ts';

/** One provider's view of the page. Nothing here runs while React renders but reading. */
export interface Store {
  /** What the server has given: what it rendered, and what the browser hydrates. */
  readonly given: Given;
  /** The page's Attune; the first who asks starts it. */
  attune(): Attune;
  /** The same, once somebody has started it. */
  running(): Attune | undefined;
  /** Calls back, at most once a task, after anything may have changed. Returns what ends that. */
  subscribe(callback: () => void): () => void;
  decision(slot: string): SlotDecision | undefined;
  variable(name: string, fallback: Json): Json;
  signal(name: string, key?: string): number | string | undefined;
  /** `track` of the page's Attune. */
  readonly track: Attune['track'];
}

/** Opens the store of a provider; `start` is called in the browser only, and once. */
export function openStore(start: () => Attune, decisions: readonly GivenDecision[]): Store {
  const given = openGiven(decisions);
  const callbacks = new Set<() => void>();
  let attune: Attune | undefined;
  /** Whether the page has decided, so that what the server has given is over. */
  let isLive = false;
  let isDue = false;
  let stopListening = () => {};

  const tell = () => {
    if (isDue) return;
    isDue = true;
    // Behind the call that has changed something, so that it is as fast as without anybody who watches.
    queueMicrotask(() => {
      isDue = false;
      for (const callback of [...callbacks]) callback();
    });
  };
  const started = () => {
    if (attune) return attune;
    const running = typeof start === 'function' ? start() : undefined;
    // Such as a function that calls `init` and does not return what that returns.
    if (!Object(running)[devtoolsPort])
      throw usageError(
        'option_invalid',
        'AttuneProvider: start must be a function that returns what init returns',
      );
    attune = running as Attune;
    const goLive = () => {
      isLive = true;
      tell();
    };
    // Where it fails, `onError` hears so, and what the server has given is all there is.
    attune.ready.then(goLive, () => {});
    return attune;
  };
  return {
    given,
    attune: started,
    running: () => attune,
    subscribe(callback) {
      // The same callback may be there twice.
      const entry = () => callback();
      if (callbacks.size === 0) stopListening = chain(started()[devtoolsPort], 'changed', tell);
      callbacks.add(entry);
      return () => {
        callbacks.delete(entry);
        if (callbacks.size === 0) stopListening();
      };
    },
    decision: (slot) => attune?.decision(slot) ?? (isLive ? undefined : given.decision(slot)),
    variable(name, fallback) {
      const otherwise = isLive ? fallback : given.variable(name, fallback);
      return attune ? attune.variable(name, otherwise) : otherwise;
    },
    signal: (name, key) => attune?.signal(name, key),
    track: (type, metadata, options) => started().track(type, metadata, options),
  };
}
