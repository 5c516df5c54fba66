/** Markup as the browser's own sanitiser leaves it, with its places filled as text. */

import type { Made } from '../dom/change.ts';
import { fill } from './places.ts';

type Sanitising = HTMLTemplateElement & { setHTML(markup: string): void };

const STYLE = /<style|[\s"'/]style\s*=/i;
const MAYBE_HANDLER = /\bon\w+/gi;
/** Handlers that are no properties of the element that has most of them. */
const OTHER_HANDLER = /^on(begin|end|repeat|focusin|focusout)$/;

/** Puts markup in place of the child nodes; throws where the browser has no sanitiser. */
export function makeHtml(element: HTMLElement, [markup = '', ...names]: string[], values: string[]): Made {
  if (runsOrStyles(markup)) throw new TypeError('the markup has event handlers or styles');
  const holder = document.createElement('template') as Sanitising;
  holder.setHTML(markup);
  fill(holder.content, names, values);
  const before = [...element.childNodes];
  const after = [...holder.content.childNodes];
  element.replaceChildren(...after);
  return {
    holds: () =>
      element.childNodes.length === after.length &&
      after.every((node, at) => element.childNodes[at] === node),
    undo: () => element.replaceChildren(...before),
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
