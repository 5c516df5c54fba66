/** What a page loads for the actions that few bundles have; nothing imports it but for that. */

import { keepEvent } from './actions/event.ts';
import { makeInsert } from './actions/insert.ts';
import { makeHtml } from './actions/markup.ts';
import { keepRedirect } from './actions/redirect.ts';
import { makeReorder } from './actions/reorder.ts';
import type { Further, Made } from './dom/change.ts';
import type { Kept } from './dom/kept.ts';
import type { Means } from './dom/page.ts';

type Make = (element: HTMLElement, texts: string[], filled: string[], means: Means) => Made;

const MAKES: Record<string, Make> = { insert: makeInsert, reorder: makeReorder, html: makeHtml };

/** A change that has been made nowhere; one of a kind that is unknown here is refused. */
export function keep(change: Further, means: Means): Kept {
  const [, , [kind = '', ...texts], filled] = change;
  if (kind === 'event') return keepEvent(change);
  if (kind === 'redirect') return keepRedirect(change);
  const [keepOn] = means;
  return keepOn(change, (_, element) => {
    const make = MAKES[kind];
    if (!make) throw new TypeError('this kind is unknown here');
    return make(element, texts, filled, means);
  });
}
