/** Another address in place of this page: on this site, or where the rule allows it. */

import { activated } from '../browser/activation.ts';
import type { Further } from '../dom/change.ts';
import type { Kept, Problem } from '../dom/kept.ts';

/** Leads away once a tab and rule, never to where the page is already, and never from a page that nobody looks at. */
export function keepRedirect(change: Further): Kept {
  const [, rule, [, ...allowed], [address = '']] = change;
  const key = `attune/redirect/${rule}`;
  let hasBegun = false;
  let isOver = false;
  const begin = (): Problem | undefined => {
    const url = new URL(address, document.baseURI);
    if (!/^https?:$/.test(url.protocol) || ![location.origin, ...allowed].includes(url.origin))
      return new TypeError(`${url.origin} is neither this site nor in its list`);
    if (withoutHash(url) === withoutHash(new URL(location.href)) || sessionStorage.getItem(key))
      return undefined;
    sessionStorage.setItem(key, '1');
    activated().then(() => isOver || location.replace(url));
    return undefined;
  };
  return {
    change,
    ensure() {
      if (hasBegun) return undefined;
      hasBegun = true;
      try {
        return begin();
      } catch (cause) {
        // No address; or a tab that can remember nothing might go round in circles.
        return cause as Error;
      }
    },
    takeBack() {
      isOver = true;
    },
  };
}

function withoutHash({ origin, pathname, search }: URL): string {
  return origin + pathname + search;
}
