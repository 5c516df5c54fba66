/** What errors say: loaded with the first of them, since most pages have none. */

import type { AttuneError } from './errors.ts';

/** Nesting that the core reads, as `MAX_JSON_DEPTH` says. */
const MAX_DEPTH = 32;
/** Characters of an id of a user or a group. */
const MAX_ID_CHARS = 100;
/** How the address of an answer begins. */
const ADDRESS = /^https?:/;

/** An error by its code, or how it comes about, with what its text is made of. */
export type Saying =
  | [code: 'event_type_reserved', type: string]
  | [code: 'event_type_missing']
  | [code: 'priority_unknown', type: string, priority?: string, known?: string]
  | [code: 'option_unknown', call: string, known: string, ...unknown: string[]]
  | [code: 'json_invalid', what: string, cause?: string]
  | [code: 'id_invalid', call: 'identify' | 'group']
  | [code: 'callback_invalid' | 'consent_invalid', what: string]
  | [code: 'before_send_failed', type: string, cause: string]
  | [code: 'already_initialised', ...options: string[]]
  | [code: 'shut_down', call: string]
  | [code: 'buffer_full', count: string]
  | [code: `storage_${string}`, problem: string]
  | [code: 'part_unavailable', file: string, cause: string]
  | [code: 'json_too_deep', what: string]
  | [code: 'stored_entry_unreadable', key: string]
  | [code: 'bundle_expired']
  | [code: 'collector_blocked', address: string]
  | [code: 'refused', type: string | undefined, refusal: string, actual: number, limit: number]
  | [code: 'unreadable', reason: string, what: string]
  | [code: 'filter', reason: string, cause: string];

/** What an error is to be: its text, and what else is not as it seems from its code. */
export type Words = Partial<Pick<AttuneError, 'code' | 'kind'>> & Pick<AttuneError, 'message'>;

/** Loads what errors say. */
export type LoadWords = () => Promise<{ wordsFor(saying: Saying): Words }>;

/** What is lost where a file beside the script does not load. */
const PARTS: Record<string, string> = {
  'background.js': 'what delivers did not load, events stay stored',
  'capturing.js': 'what tracks did not load, events stay stored',
  'restore.js': 'what earlier pages have left waits for the next one',
  'visitor-cookie.js': 'the visitor is known to this host alone: visitor-cookie.js did not load',
};

/** Says what is wrong, where, and what it is to be. */
export function wordsFor(saying: Saying): Words {
  const [, first = '', second = ''] = saying as string[];
  switch (saying[0]) {
    case 'event_type_reserved':
      return usage(`track: type "${first}" must not start with "attune."`);
    case 'event_type_missing':
      return usage('track: type must be a text that is not empty');
    case 'priority_unknown':
      if (saying[3]) return usage(`track: priority "${second}" of "${first}" is none of ${saying[3]}`);
      return usage(`track: options of "${first}" must be an object, such as { priority: 'critical' }`);
    case 'option_unknown': {
      const [, , , ...unknown] = saying;
      // The letters of a text.
      if (unknown[0] === '0') return usage(`${first}: options must be an object, such as { ${second}: … }`);
      return usage(`${first}: unknown option ${quoted(unknown)}; known is "${second}"`);
    }
    case 'json_invalid':
      return usage(second ? `${first} has no JSON form: ${second}` : `${first} must be an object`);
    case 'json_too_deep':
      return usage(`${first} must be nested at most ${MAX_DEPTH} deep`);
    case 'id_invalid':
      return usage(
        `${first}: ${saying[1] === 'group' ? 'id' : 'userId'} must be a text of 1 to ${MAX_ID_CHARS} characters`,
      );
    case 'callback_invalid':
      return usage(`${first}: callback must be a function`);
    case 'consent_invalid':
      return usage(`consent: ${first}`);
    case 'before_send_failed':
      return usage(`beforeSend threw at "${first}", which is dropped: ${second}`);
    case 'already_initialised': {
      const [, ...options] = saying;
      const others = `another ${quoted(options)} than at the first call`;
      return usage(`init: ${others} is left out, since a page is started once; a later "consent" counts`);
    }
    case 'shut_down':
      return usage(`${first}: attune has been shut down`);
    case 'refused': {
      const [, , refusal, actual, limit] = saying;
      return { code: second, ...usage(`${first}: ${refusalText(refusal, actual, limit)}`) };
    }
    case 'unreadable':
      return { code: first, ...unreadable(first, second) };
    case 'filter':
      return {
        code: first,
        ...weather(`what judges by the bundle's filter did not load, and events wait for it: ${second}`),
      };
    case 'buffer_full':
      return weather(
        `${first} calls are given up, the least important first: 1,000, or 1 MiB, wait for the start at most`,
      );
    case 'part_unavailable':
      return weather(`${PARTS[first]}: ${second}`);
    case 'stored_entry_unreadable':
      return weather(`a stored entry cannot be read: ${first}`);
    case 'bundle_expired':
      return weather('the time of the bundle is over; its rules have stopped');
    case 'collector_blocked':
      return weather(
        `requests to ${first} do not get through: something blocks them, the collector is down, or its address is another; what is not delivered stays stored`,
      );
    default:
      return weather(`IndexedDB is ${first}; what is not delivered is lost with the page`);
  }
}

/** Says why an event was not taken: which field is wrong and what its limit is. */
export function refusalText(code: string, actual: number, limit: number): string {
  const field = code.replace(/_(missing|invalid|too_long|too_large|not_an_object)$/, '');
  if (code.endsWith('object')) return `${field} is not a JSON object`;
  if (actual === 0) return `${field} is empty`;
  const unit = code.endsWith('large') ? 'bytes' : 'characters';
  return `${field} is ${grouped(actual)} ${unit}; the limit is ${grouped(limit)}`;
}

/** Whatever stands at an address that has no rules, such as the start page of an application: the address is wrong. */
function unreadable(reason: string, what: string): Words {
  if (reason !== 'bundle_bad_magic' || !ADDRESS.test(what)) return weather(`${what} cannot be read`);
  return usage(`${what} answers with what are no rules: is this a collector?`);
}

function usage(message: string): Words {
  return { message, kind: 'usage' };
}

function weather(message: string): Words {
  return { message, kind: 'environment' };
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}

function quoted(names: string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
