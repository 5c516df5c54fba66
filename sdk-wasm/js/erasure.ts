/** Asks the collector to erase visitors whom this browser has forgotten, on every page until it has said that it will. */

import { post } from './browser/http.ts';
import type { KeyValue } from './browser/storage.ts';
import { keysUnder } from './browser/stored-keys.ts';
import { textOf } from './core/reader.ts';
import { jsonText } from './json.ts';

/**
 * Asks for all that is wished: members are kept under a prefix, each with its token alone. Those in `asked` may not be
 * there, where nothing may be stored. Where requests are `blocked`, what earlier pages have asked in vain waits for a later one.
 */
export function erase(
  url: string,
  wishes: KeyValue,
  prefix: string,
  asked: [member: string, token: string][],
  blocked?: string | null,
): void {
  const send = async (member: string, token: string | null) => {
    // The request may outlive the page.
    const answer = await post(url, jsonText({ anonymous_id: member, member_token: token }));
    const isRefused = answer?.status === 403 && textOf(answer.body).includes('member_token_invalid');
    if (answer?.status === 202 || isRefused) wishes.removeItem(prefix + member);
  };
  const kept = blocked ? [] : keysUnder(prefix);
  const again = kept.map((member) => [member, wishes.getItem(prefix + member)] as const);
  for (const [member, token] of new Map([...again, ...asked])) send(member, token);
}
