/** What a script tag loads where something at it, or beside it, may be a mistake that would go unnoticed; and what errors say. */

import { NOTHING_SAID } from './consent.ts';
import { mergeConsent } from './consent-merge.ts';
import type { DevtoolsPort } from './devtools-port.ts';
import { actionsIn, listed } from './first-paint/actions.ts';
import type { FirstPaint } from './first-paint/contract.ts';
import { fieldsOf } from './json.ts';
import { meantBy } from './slip.ts';

export { wordsFor } from './words.ts';

/** What stands behind `data-` in the attributes of the script and the loader. */
export const ATTRIBUTES = [
  ...['write-key', 'collector', 'trust', 'project', 'environment', 'autocapture', 'consent', 'strict'],
  ...['cookieless', 'visitor-cookie', 'do-not-track', 'manual', 'filter', 'src', 'slots', 'hide-ms'],
];
/** Those of the loader alone. */
const OF_LOADER = ['slots', 'hide-ms'];
/** Those that say something by being there. */
const SWITCHES = ['strict', 'cookieless', 'do-not-track', 'manual'];
/** Options that are no attributes. */
const OPTIONS = ['before-send', 'without-wasm', 'wasm-url'];
/** Kinds of actions that the loader leaves to the script. */
const LATE_KINDS = ['insert', 'html', 'reorder', 'redirect', 'event'];
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
 * Tells of the mistakes at a tag, and of what a server has written beside it that is no decision, each kind of mistake at
 * once: the console has one line of each. Of attributes that are not ours only those count that were meant to be:
 * frameworks and consent managers mark scripts with attributes of their own.
 */
export function tellMistakes(
  { attributes, dataset }: HTMLElement,
  first: Pick<FirstPaint, 'unread'> | undefined,
  report: DevtoolsPort['report'],
): void {
  const tell = (code: string, texts: string[], more = '') => {
    if (texts.length) report(code, texts.join(' ') + more, 'usage');
  };
  const names = [...attributes].flatMap(({ name }) => /^data-(.+)/.exec(name)?.[1] ?? []);
  const unknown = names.flatMap((name) => {
    const hint = hintAt(name, first !== undefined);
    return hint ? `data-${name}: ${hint}` : [];
  });
  tell('attribute_unknown', unknown, ` Known are ${ATTRIBUTES.map((one) => `data-${one}`).join(', ')}`);

  const { consent = '', hideMs = '' } = dataset;
  const purposes = consent.match(/\S+/g) ?? [];
  const said = mergeConsent(NOTHING_SAID, Object.fromEntries(purposes.map((name) => [name, 'granted'])));
  tell('consent_invalid', typeof said === 'string' ? [`data-consent: ${said}`] : []);

  const isNumber = hideMs === '' || Number(hideMs) >= 0;
  const wrong = isNumber ? [] : [`data-hide-ms must be milliseconds, got "${hideMs}": nothing is hidden.`];
  const off = SWITCHES.filter((name) => dataset[camel(name)] === 'false');
  if (off.length) {
    const written = off.map((name) => `data-${name}="false"`).join(', ');
    wrong.push(`${written}: what is there is on, whatever its value; leave it out.`);
  }
  tell('option_invalid', wrong);

  const lost = (first?.unread ?? []).flatMap(lossesOf);
  tell('decisions_invalid', lost.length ? [`#attune-decisions: ${lost.join('; ')}`] : []);
}

/** Tells the console what no `init` has been called to tell. */
export function tellConsole(code: string, message: string): void {
  console.error(`attune: ${code}: ${message}`);
}

/** What is to be said of an attribute; nothing where it is right, or somebody else's. */
function hintAt(name: string, isLoader: boolean): string | undefined {
  if (OF_LOADER.includes(name) && !isLoader)
    return 'this is an attribute of loader.js; attune.js hides nothing.';
  if (ATTRIBUTES.includes(name)) return undefined;
  const none = 'there is no such attribute;';
  const careful = meantBy(bare(name));
  if (careful)
    return `${none} did you mean data-${careful}? Unless that is there as well, it counts as data-${careful}="", with nothing granted.`;
  const isMeant = (one: string) => isSlip(bare(one), bare(name));
  const meant = ATTRIBUTES.find(isMeant);
  if (meant) return `${none} did you mean data-${meant}?`;
  return OPTIONS.some(isMeant) ? `${none} it is an option of init alone.` : undefined;
}

/** What is left out of a decision that a server has written; of nothing where the whole is no list. */
function lossesOf(value: unknown): string[] {
  if (value === undefined)
    return [listProblem(document.getElementById('attune-decisions')?.textContent ?? '')];
  const { slot, rule, actions } = fieldsOf(value);
  if (typeof slot !== 'string' || typeof rule !== 'string' || !Array.isArray(actions))
    return [`this is no decision and is left out: ${shown(value)}`];
  const isLost = (action: unknown) =>
    !LATE_KINDS.includes(String(fieldsOf(action).kind)) && !actionsIn([listed(action)]).length;
  return actions
    .filter(isLost)
    .map((action) => `slot "${slot}": this is no action and is left out: ${shown(action)}`);
}

function listProblem(text: string): string {
  try {
    JSON.parse(text);
    return `this is no list of decisions: ${text.slice(0, 100)}`;
  } catch (cause) {
    return `this is no JSON: ${(cause as Error).message}`;
  }
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 100);
}

function bare(name: string): string {
  return name.replaceAll('-', '');
}

function camel(name: string): string {
  return name.replace(/-./g, ([, letter = '']) => letter.toUpperCase());
}

function isSlip(one: string, other: string): boolean {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same += 1;
  const isLong = one.length >= MIN_SIGNS;
  return isLong && SLIPS.some(([a, b]) => one.slice(same + a) === other.slice(same + b));
}
