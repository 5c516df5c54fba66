/** Asks the collector to erase a visitor whom this browser has forgotten, on every page until it has said that it will. */

import { activated } from './browser/activation.ts';
import { post } from './browser/http.ts';
import { type KeyValue, keysUnder } from './browser/storage.ts';
import { textOf } from './core/reader.ts';
import { jsonText } from './json.ts';

/** What is still to be erased. */
export interface Erasure {
  /** Asks for a member; the text is the member and its token, in a line each. */
  ask(text: string): void;
}

/** Asks again for what earlier pages have asked in vain; members are kept under a prefix, each with its token alone. */
export function openErasure(url: string, storage: KeyValue, prefix: string): Erasure {
  const send = async (member: string, token: string) => {
    // The request may outlive the page.
    const answer = await post(url, jsonText({ anonymous_id: member, member_token: token }));
    const isRefused = answer?.status === 403 && textOf(answer.body).includes('member_token_invalid');
    if (answer?.status === 202 || isRefused) storage.removeItem(prefix + member);
  };
  const resume = async (members: string[]) => {
    await activated();
    for (const member of members) send(member, storage.getItem(prefix + member) ?? '');
  };
  resume(keysUnder(prefix));
  return {
    ask(text) {
      const [member = '', token = ''] = text.split('\n');
      storage.setItem(prefix + member, token);
      send(member, token);
    },
  };
}
