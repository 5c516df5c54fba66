/** What an action may set: attributes that cannot run code, and addresses that cannot either. */

import type { Change } from './change.ts';

const ATTRIBUTE =
  /^(alt|cite|content|dir|disabled|height|hidden|href|label|lang|placeholder|rel|role|src|tabindex|target|title|value|width|(aria|data)-.+)$/s;
const ADDRESS = /^(href|src|cite)$/;
/** Without a scheme, or with one that runs nothing. */
const SAFE = /^((https?|mailto|tel):|[^:]*([/?#]|$))/i;

/**
 * Whether a change may be made. The bundle's compiler checks names; a place may have filled an address with what it
 * could not see.
 */
export function isAllowed(change: Change): boolean {
  if (change[0] !== 'attribute') return true;
  const [, , name, value] = change;
  return attributeAllowed(name) && (!ADDRESS.test(name) || urlAllowed(value));
}

/** Whether an action may set this attribute: a closed list, `aria-*` and `data-*`. */
export function attributeAllowed(name: string): boolean {
  return ATTRIBUTE.test(name);
}

/** Whether an address may be set: http, https, mailto, tel, or relative to the page. */
export function urlAllowed(url: string): boolean {
  return SAFE.test(url);
}
