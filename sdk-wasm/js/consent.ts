/** What the visitor has said of each purpose, and what may be done by it: which rules take part, and what is captured. The loader shares it. */

import type { Wishes } from './browser/wishes.ts';

/** What a visitor has said of a purpose. */
export type ConsentState = 'unknown' | 'denied' | 'granted';

/** What a visitor has said of each purpose; a purpose that is left out stays as it was. */
export interface Consent {
  /** Rules that read context and time alone. */
  functional?: ConsentState;
  /** Rules that count and compare; events for the site to understand how it is used. */
  analytics?: ConsentState;
  /** Rules that fit the page to what the visitor has done, and the events they need; a rule that names no purpose is one. */
  personalization?: ConsentState;
}

/** What has been said of every purpose. */
export type Said = Required<Consent>;

const EVERY_PURPOSE = 'functional analytics personalization';
/** Every purpose, in the order of its bits. */
export const PURPOSES = EVERY_PURPOSE.split(' ') as (keyof Said)[];

/** Where nobody has said anything. */
export const NOTHING_SAID: Said = saidIn(EVERY_PURPOSE);

/** What counts as said where nobody has said anything but the browser, whose "Do Not Track" may count as well. */
export function defaultConsent({ privacyControl, doNotTrack }: Wishes, counts?: boolean): Said {
  const isUntracked = counts && doNotTrack;
  return {
    ...NOTHING_SAID,
    ...(isUntracked && { analytics: 'denied' }),
    ...((isUntracked || privacyControl) && { personalization: 'denied' }),
  };
}

/** What the granted purposes, with spaces between them, say; nothing is known of the others. */
export function saidIn(granted: string): Said {
  const names = granted.split(/\s+/);
  const said = (name: string) => [name, names.includes(name) ? 'granted' : 'unknown'];
  return Object.fromEntries(PURPOSES.map(said)) as Said;
}

/** The granted purposes by bits, as the core takes them. */
export function grantedBits(said: Said): number {
  return PURPOSES.reduce((bits, purpose, place) => bits | (Number(said[purpose] === 'granted') << place), 0);
}

/**
 * What is said of capturing: events are for analytics and for personalization, so it is granted where either is, and
 * denied where both are.
 */
export function captureState({ analytics, personalization }: Said): ConsentState {
  const states = [analytics, personalization];
  if (states.includes('granted')) return 'granted';
  return states.includes('unknown') ? 'unknown' : 'denied';
}
