/** The comings and goings of a page. */

/** What a page does at each of its turns. */
export interface Turns {
  /** Hidden: on phones often the last that is heard of a page. */
  hidden(): void;
  /** Visible again. */
  visible(): void;
  /** Leaving, or frozen by the browser; it may come back. */
  leaving(): void;
  /** Back from the back/forward cache, or thawed. */
  restored(): void;
  /** Online again. */
  online(): void;
}

/** Calls back at every turn until the signal ends that. */
export function watchTurns(turns: Turns, signal: AbortSignal): void {
  const on = (name: string, act: (event: Event) => void) =>
    addEventListener(name, act, { signal, capture: true });
  let isAway = false;
  const leave = () => {
    isAway = true;
    turns.leaving();
  };
  // The back/forward cache thaws a page, and then gives it back.
  const restore = () => {
    if (isAway) turns.restored();
    isAway = false;
  };
  // Fired at the document; some of it does not bubble.
  on('visibilitychange', () => (document.hidden ? turns.hidden() : turns.visible()));
  on('pagehide', leave);
  on('pageshow', (event) => (event as PageTransitionEvent).persisted && restore());
  on('freeze', leave);
  on('resume', restore);
  on('online', () => turns.online());
}
