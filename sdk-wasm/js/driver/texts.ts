/** What errors say that only a page's console or its developer sees: by code, and how it comes about. */

import { refusalText } from './refusal.ts';

/** Nesting that the core reads, as `MAX_JSON_DEPTH` says. */
const MAX_DEPTH = 32;

/** An error by its code, with what its text is made of. */
export type Saying =
  | [code: 'json_too_deep', what: string]
  | [code: 'stored_entry_unreadable', key: string]
  | [code: 'bundle_expired' | 'collector_blocked']
  | [code: 'refused', type: string | undefined, refusal: string, actual: number, limit: number]
  | [code: 'unreadable', reason: string, what: string];

/** An error as it is reported; most are the world's weather. */
export type Report = [code: string, message: string, isUsage?: boolean];

/** Writes an error out. */
export function sayingOf(saying: Saying): Report {
  const [code, first] = saying;
  switch (saying[0]) {
    case 'refused': {
      const [, type, refusal, actual, limit] = saying;
      return [refusal, `${type}: ${refusalText(refusal, actual, limit)}`, true];
    }
    case 'unreadable':
      return [saying[1], `${saying[2]} cannot be read`];
    case 'json_too_deep':
      return [code, `${first} must be nested at most ${MAX_DEPTH} deep`, true];
    case 'stored_entry_unreadable':
      return [code, `a stored entry cannot be read: ${first}`];
    case 'bundle_expired':
      return [code, 'the time of the bundle is over; its rules have stopped'];
    case 'collector_blocked':
      return [code, 'requests to the collector do not get through; what is not delivered stays stored'];
  }
}
