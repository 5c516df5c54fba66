/** Rage clicks: a visitor who clicks the same place again and again. */

import { controlOf, describe, fits, onAct } from './element.ts';
import type { Site } from './site.ts';

const CLICKS = 3;
const WITHIN_MS = 1_000;
const WITHIN_PX = 30;
/** Where clicking three times selects a line. */
const EDITABLE = 'input,textarea,select,[contenteditable]';

type Place = [ms: number, x: number, y: number];

/** Tracks the third click of a burst; what follows within a second belongs to the same one. */
export function trackRageClicks(site: Site): void {
  let recent: Place[] = [];
  let isTold = false;
  onAct<MouseEvent>(site, 'click', (path, { detail, timeStamp, clientX, clientY }) => {
    // A click without a count comes from a key or a label.
    if (!detail || fits(path[0], EDITABLE)) return;
    const isNear = ([ms, x, y]: Place) =>
      timeStamp - ms <= WITHIN_MS && Math.hypot(clientX - x, clientY - y) <= WITHIN_PX;
    recent = [...recent.filter(isNear), [timeStamp, clientX, clientY] as Place].slice(-CLICKS);
    const isRage = recent.length === CLICKS;
    if (isRage && !isTold) site.track('rage_click', describe(controlOf(path) ?? path));
    isTold = isRage || (isTold && recent.length > 1);
  });
}
