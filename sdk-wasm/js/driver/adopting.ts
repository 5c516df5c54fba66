/** Finds out which pages are gone, and takes their lanes over. */

import { awaitLock, hasLocks, tryLock } from '../browser/locks.ts';
import { wallMs } from '../clock.ts';
import { uuidMs } from '../uuid.ts';
import { type Lanes, MAX_LANE_MS } from './lanes.ts';

/** Time given to the browser to say which lanes are held; a lane it has not spoken of by then waits for the next page. */
const PATIENCE_MS = 250;

/** Finds out, in a later task, which of these lanes are over, and holds those. */
export async function adoptLanes(lanes: Lanes, asked: string[]): Promise<Set<string>> {
  const known = hasLocks() ? asked : [];
  const adopted = new Set(hasLocks() ? [] : asked.filter(isOverAge));
  for (const lane of adopted) lanes.take(lane);
  let isOver = false;
  const answers = known.map(async (lane) => {
    const release = await tryLock(lanes.nameOf(lane));
    if (isOver) return release?.();
    if (!release) return;
    lanes.take(lane, release);
    adopted.add(lane);
  });
  const patience = new Promise((done) => setTimeout(done, known.length && PATIENCE_MS));
  await (known.length ? Promise.race([patience, Promise.all(answers)]) : patience);
  isOver = true;
  return adopted;
}

/** Waits until the page of a lane is gone, then holds the lane and says so; nothing where the signal ends the wait. */
export async function awaitLane(lanes: Lanes, lane: string, signal: AbortSignal): Promise<boolean> {
  const release = await awaitLock(lanes.nameOf(lane), signal);
  if (signal.aborted) release?.();
  else if (release) lanes.take(lane, release);
  return release !== undefined && !signal.aborted;
}

/** Without locks a lane counts as over when it is older than a lane can be; a name that is no id always does. */
function isOverAge(lane: string): boolean {
  return !(wallMs() - uuidMs(lane) <= MAX_LANE_MS);
}
