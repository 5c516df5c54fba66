/** Tells where a change of a decision has come from. */
import type { Attune } from 'attune';
import { inspect, onChange, onEvent } from 'attune/devtools';

/** `here`: an event or the start of this page. `rules`: an edited rule. `elsewhere`: pushed by the collector. */
export type Origin = 'here' | 'rules' | 'elsewhere';

/** What the SDK records of decisions itself, wherever they have come from. */
const OF_DECISIONS = ['attune.shown', 'attune.exposure'];

/** Returns what a listener of decisions asks; the answer comes when the running code has ended. */
export function watchOrigins(attune: Attune): (answer: (origin: Origin) => void) => void {
  // A decision comes within the very call that tracks its event, or else in a task of its own.
  let trackedHere = 0;
  let revision = 0;
  let isStarting = true;
  const revisionNow = () => inspect(attune)?.bundle_revision ?? 0;
  const origin = (): Origin => {
    if (isStarting || trackedHere > 0) return 'here';
    return revisionNow() === revision ? 'elsewhere' : 'rules';
  };
  onEvent(attune, ({ event_type }) => {
    if (OF_DECISIONS.includes(event_type)) return;
    trackedHere += 1;
    queueMicrotask(() => {
      trackedHere -= 1;
    });
  });
  onChange(attune, () => {
    revision = revisionNow();
  });
  const started = () => {
    isStarting = false;
  };
  attune.ready.then(started, started);
  return (answer) => queueMicrotask(() => answer(origin()));
}
