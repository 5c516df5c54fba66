/** Markup as the browser's own sanitiser leaves it, with its places filled as text. */

import type { Made } from '../dom/change.ts';
import type { Means } from '../dom/page.ts';
import { fill, refuseCode } from './places.ts';
import { makeWhole } from './whole.ts';

type Sanitising = HTMLTemplateElement & { setHTML(markup: string): void };

const STYLE = /<style|[\s"'/]style\s*=/i;
const MAYBE_HANDLER = /\bon\w+/gi;
/** Handlers that are no properties of the element that has most of them. */
const OTHER_HANDLER = /^on(begin|end|repeat|focusin|focusout)$/;

/** Shows markup in place of the child nodes; throws where the browser has no sanitiser. */
export function makeHtml(
  element: HTMLElement,
  [markup = '', ...names]: string[],
  values: string[],
  means: Means,
): Made {
  refuseCode(element);
  if (runsOrStyles(markup)) throw new TypeError('the markup has event handlers or styles');
  const holder = document.createElement('template') as Sanitising;
  holder.setHTML(markup);
  fill(holder.content, names, values);
  const nodes = [...holder.content.childNodes];
  return makeWhole(element, () => show(element, nodes, means), means);
}

/** What is there already stays, emptied and hidden: a framework goes on owning it. */
function show(element: HTMLElement, nodes: ChildNode[], [, , setNode]: Means): Made {
  const hidden = [...element.childNodes].map((node) => setNode(node, ''));
  // Behind them, an order of theirs holds.
  element.append(...nodes);
  const children = [...element.childNodes];
  return {
    holds: () =>
      children.length === element.childNodes.length &&
      children.every((node) => node.parentNode === element) &&
      hidden.every(({ holds }) => holds()),
    undo() {
      for (const node of nodes) node.remove();
      for (const { undo } of hidden) undo();
    },
  };
}

/**
 * Whether markup names what the sanitiser takes out and what violates a policy already when it is parsed. However odd it
 * is: the compiler looks at its tags, and here nothing is left to how a browser may read them.
 */
function runsOrStyles(markup: string): boolean {
  const words = markup.match(MAYBE_HANDLER) ?? [];
  const body = document.createElement('body');
  const isHandler = (word: string) => word in body || OTHER_HANDLER.test(word);
  return STYLE.test(markup) || words.some((word) => isHandler(word.toLowerCase()));
}
