/** Child elements in another order. */

import type { Made } from '../dom/change.ts';
import { own } from '../dom/own.ts';
import type { Means } from '../dom/page.ts';
import { makeWhole } from './whole.ts';

type Moving = Element & { moveBefore?(node: Node, child: Node | null): void };

/** Puts the children that selectors find first, in their order; the others stay as they are behind them. */
export function makeReorder(element: HTMLElement, selectors: string[], _: string[], means: Means): Made {
  const children = own(element, 'children');
  return makeWhole(children, () => reorder(element, children, selectors), means);
}

function reorder(element: HTMLElement, children: HTMLCollection, selectors: string[]): Made {
  const before = [...children];
  const chosen = () => {
    const all = [...children];
    return new Set(selectors.flatMap((selector) => all.filter((child) => child.matches(selector))));
  };
  const moved = chosen();
  let next = element.firstElementChild;
  for (const child of moved) {
    if (child === next) next = next.nextElementSibling;
    else move(element, child, next);
  }
  const holds = () => [...chosen()].every((child, at) => children[at] === child);
  return {
    holds,
    undo() {
      if (!holds()) return;
      // Each goes back behind the one it stood behind, wherever the page has put new ones.
      let last: Element | undefined;
      for (const child of before) {
        if (child.parentNode !== element) continue;
        const behind = last ? last.nextElementSibling : element.firstElementChild;
        if (moved.has(child) && child !== behind) move(element, child, behind);
        last = child;
      }
    },
  };
}

/** Where the browser can, without what a removal costs: focus, a frame's page, an animation. */
function move(parent: Moving, child: Element, before: Element | null): void {
  if (parent.moveBefore) parent.moveBefore(child, before);
  else parent.insertBefore(child, before);
}
