/** What an action may set: attributes that cannot run code, and addresses that cannot either. */

import type { Change } from './change.ts';

/** A closed list, `aria-*` and `data-*`. */
const ATTRIBUTE =
  /^(alt|cite|content|dir|disabled|height|hidden|href|label|lang|placeholder|rel|role|src|tabindex|target|title|value|width|(aria|data)-.+)$/s;
const ADDRESS = /^(href|src|cite)$/;
/** Without a scheme, or with one that runs nothing: http, https, mailto, tel. */
const SAFE = /^((https?|mailto|tel):|[^:]*([/?#]|$))/i;

/** Elements of which a text or an address above is code, or changes what other addresses mean. */
const CODE = /^(script|style|link|base|i?frame|embed)$/;

/**
 * Whether a change may be made on an element. The bundle's compiler checks names; a place may have filled an address with
 * what it could not see.
 */
export function isAllowed([kind, , name, value]: Change, { localName }: Pick<Element, 'localName'>): boolean {
  const isCode = CODE.test(localName);
  if (kind === 'text') return !isCode;
  return (
    kind !== 'attribute' || (ATTRIBUTE.test(name) && (!ADDRESS.test(name) || (!isCode && SAFE.test(value))))
  );
}
