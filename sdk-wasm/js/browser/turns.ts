/** The comings and goings of a page. */

/** What a page does at each of its turns. */
export interface Turns {
  /** Hidden: on phones often the last that is heard of a page. */
  hidden(): void;
  /** Visible again. */
  visible(): void;
  /** Leaving; it may come back from the back/forward cache. */
  leaving(): void;
  /** Back from the back/forward cache. */
  restored(): void;
  /** Online again. */
  online(): void;
}

/** Calls back at every turn until the signal ends that. */
export function watchTurns(turns: Turns, signal: AbortSignal): void {
  const on = (name: string, act: (event: Event) => void) => addEventListener(name, act, { signal });
  // Fired at the document, it bubbles.
  on('visibilitychange', () => (document.hidden ? turns.hidden() : turns.visible()));
  on('pagehide', () => turns.leaving());
  on('pageshow', (event) => (event as PageTransitionEvent).persisted && turns.restored());
  on('online', () => turns.online());
}
