/** The page and its Attune as the listeners see them: whatever they throw is reported and never reaches the page. */

import type { Attune, Priority } from '../attune.ts';
import type { JsonObject } from '../context.ts';
import { devtoolsPort } from '../devtools-port.ts';

/** What every kind works with. */
export interface Site {
  /** The instance that events go to. */
  readonly attune: Attune;
  /** Says when to stop listening. */
  readonly signal: AbortSignal;
  /** Tracks an event together with the page's path. */
  track(type: string, metadata: JsonObject, priority?: Priority): void;
  /** Listens until the end, before the page does. */
  on<Heard extends Event>(target: EventTarget, name: string, act: (event: Heard) => void): void;
  /** Makes a function that does nothing after the end and never throws. */
  guard<Values extends unknown[]>(act: (...values: Values) => void): (...values: Values) => void;
  /** Reports what has gone wrong. */
  failed(cause: unknown): void;
}

/** Opens the page for the listeners, until the signal ends that or Attune is shut down. */
export function openSite(attune: Attune, signal: AbortSignal): Site {
  const failed = (cause: unknown) =>
    attune[devtoolsPort].report('autocapture_failed', `${cause}`, undefined, cause);
  const guard =
    <Values extends unknown[]>(act: (...values: Values) => void) =>
    (...values: Values) => {
      if (signal.aborted || attune.isShutDown) return;
      try {
        act(...values);
      } catch (cause) {
        failed(cause);
      }
    };
  return {
    attune,
    signal,
    failed,
    guard,
    track: (type, metadata, priority = 'normal') =>
      attune.track(type, { path: location.pathname, ...metadata }, { priority }),
    on: (target, name, act) =>
      target.addEventListener(name, guard(act) as (event: Event) => void, {
        signal,
        capture: true,
        passive: true,
      }),
  };
}
