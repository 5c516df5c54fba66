/** What a script tag loads where something at it, or beside it, may be a mistake that would go unnoticed. */

import { mergeConsent, NOTHING_SAID } from './consent.ts';
import type { DevtoolsPort } from './devtools-port.ts';

export { wordsFor } from './words.ts';

/** What stands behind `data-` in the attributes of the script and the loader. */
const ATTRIBUTES = [
  ...['write-key', 'collector', 'trust', 'project', 'environment', 'autocapture', 'consent', 'strict'],
  ...['cookieless', 'do-not-track', 'manual', 'filter', 'src', 'slots', 'hide-ms'],
];
/** Options that are no attributes. */
const OPTIONS = ['before-send', 'without-wasm', 'wasm-url'];
/** Names that are shorter are like too many others. */
const MIN_SIGNS = 5;
/** Slips of the pen, by how many signs they leave out on either side: one more, one less, another one, two in turn. */
const SLIPS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [2, 2],
] as const;

/**
 * Tells of the mistakes at a tag, and of what a server has written beside it that is no decision. Of attributes that are not
 * ours only those count that were meant to be: frameworks and consent managers mark scripts with attributes of their own.
 */
export function tellMistakes(
  { attributes, dataset: { consent = '' } }: HTMLElement,
  unread: readonly unknown[],
  report: DevtoolsPort['report'],
): void {
  for (const { name } of attributes) {
    const own = /^data-(.+)/.exec(name)?.[1] ?? '';
    if (ATTRIBUTES.includes(own)) continue;
    const isMeant = (one: string) => isSlip(bare(one), bare(own));
    const meant = ATTRIBUTES.find(isMeant) ?? OPTIONS.find(isMeant);
    if (!meant) continue;
    const hint = OPTIONS.includes(meant) ? 'it is an option of init alone.' : `did you mean data-${meant}?`;
    const known = ATTRIBUTES.map((one) => `data-${one}`).join(', ');
    report('attribute_unknown', `${name}: there is no such attribute; ${hint} Known are ${known}`, 'usage');
  }
  const names = consent.match(/\S+/g) ?? [];
  const said = mergeConsent(NOTHING_SAID, Object.fromEntries(names.map((name) => [name, 'granted'])));
  if (typeof said === 'string') report('consent_invalid', `data-consent ${said}`, 'usage');
  for (const value of unread) {
    const text = JSON.stringify(value).slice(0, 100);
    report('decisions_invalid', `#attune-decisions: this is no decision and is left out: ${text}`, 'usage');
  }
}

function bare(name: string): string {
  return name.replaceAll('-', '');
}

function isSlip(one: string, other: string): boolean {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same += 1;
  const isLong = one.length >= MIN_SIGNS;
  return isLong && SLIPS.some(([a, b]) => one.slice(same + a) === other.slice(same + b));
}
