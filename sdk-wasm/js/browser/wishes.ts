/** What the browser says of its user's wishes. */

/** Wishes that browsers can be told to send. */
export interface Wishes {
  /** Global Privacy Control: do not sell or share (https://www.w3.org/TR/gpc/). */
  privacyControl: boolean;
  /** "Do Not Track". */
  doNotTrack: boolean;
}

/** Asks the browser. */
export function readWishes(): Wishes {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return { privacyControl: globalPrivacyControl === true, doNotTrack: doNotTrack === '1' };
}
