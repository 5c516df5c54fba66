/** A part of the SDK that is loaded when it is needed, and again where that fails. */

import { inTime } from './browser/in-time.ts';

/** Time after which a part that has not come counts as one that fails. */
const LATE_MS = 30_000;
/** First pause before another try; later ones are four times as long, this often. */
const PAUSE_MS = 1_000;
const MAX_STEPS = 5;

/**
 * Gives what loads a part: once, and after every failure again until it is there or no longer wanted. `failed` hears of
 * the first failure alone.
 */
export function openPart<Part>(
  load: (attempt: number) => Promise<Part>,
  ended: AbortSignal,
  failed: (cause: unknown) => void,
): () => Promise<Part> {
  let part: Promise<Part> | undefined;
  const tryOn = async (attempt: number): Promise<Part> => {
    try {
      return await inTime(load(attempt), LATE_MS);
    } catch (cause) {
      if (!attempt) failed(cause);
      await new Promise<void>((again) => {
        if (ended.aborted) return;
        const pause = setTimeout(again, PAUSE_MS * 4 ** Math.min(attempt, MAX_STEPS));
        ended.addEventListener('abort', () => clearTimeout(pause));
        addEventListener('online', again as () => void, { once: true, signal: ended });
      });
      return tryOn(attempt + 1);
    }
  };
  return () => {
    part ??= tryOn(0);
    return part;
  };
}
