/** What is known of a page when it begins: what is stored of its slots, what the server has decided, what waits for the core. */

import { openStorage } from '../browser/storage.ts';
import { readWishes } from '../browser/wishes.ts';
import { openCampaign } from '../campaign.ts';
import { captureState, defaultConsent, grantedBits, saidIn } from '../consent.ts';
import { deviceContext, pageContext, timeZone } from '../context.ts';
import type { Filling } from '../core/effects.ts';
import { DECISIONS } from '../driver/state.ts';
import { sessionAt } from '../session-state.ts';
import { type Recalled, recall } from './record.ts';
import { readServed } from './served.ts';

/** What is known. */
export type Known = [
  /** By slot: what fills it. */
  found: Map<string, Filling>,
  /** By slot that is still to be decided: selectors of what may change. */
  open: Map<string, string[]>,
  /** Whether what is stored has rare changes in it. */
  isRare: boolean | undefined,
  /** What the server has written that is no decision. */
  unread: unknown[],
  /** Whether the visitor has agreed that anything is captured. */
  isTaking: boolean,
];

/** Asks the loader's tag, the storage below a prefix, and the document as far as it is there. */
export function knownOf({ dataset: { consent, slots = '' } }: HTMLScriptElement, space: string): Known {
  const said = consent === undefined ? defaultConsent(readWishes(), false) : saidIn(consent);
  const isTaking = captureState(said) === 'granted';
  const storage = openStorage(() => isTaking);
  const nowMs = Date.now();
  const { own, note } = openCampaign(storage, space);
  const beginning = {
    context: {
      page: pageContext(),
      device: deviceContext(),
      locale: navigator.language,
      time_zone: timeZone(),
      campaign: own ?? note(sessionAt(storage.getItem(`${space}session`), nowMs)),
    },
    granted: grantedBits(said),
    isSaid: consent !== undefined,
    nowMs,
  };
  let recalled: Recalled = [[], new Map()];
  try {
    recalled = recall(storage, space, beginning);
  } catch {
    // What somebody else has written there is no record.
  }
  const unread: unknown[] = [];
  const [painted, open] = recalled;
  const found = new Map([...painted, ...readServed((value) => unread.push(value))]);
  for (const slot of slots.split(/\s+/)) {
    if (slot && !open.has(slot)) open.set(slot, [`[data-attune-slot="${CSS.escape(slot)}"]`]);
  }
  for (const slot of found.keys()) open.delete(slot);
  const isRare = storage.getItem(space + DECISIONS)?.includes('"further"');
  return [found, open, isRare, unread, isTaking];
}
