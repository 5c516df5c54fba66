/** Filling `{{name|fallback}}` in nodes that are in no document yet: values become text, never markup. */

import { isAllowed } from '../dom/allowed.ts';

const PLACE = /\{\{(.*?)\}\}/gs;

/** Whether what stands in an element is code, or where it leads to. */
function isCode(element: Element): boolean {
  return element.matches('meta, object') || !isAllowed(['text', '', ''], element);
}

/** Throws where what stands in an element is code. */
export function refuseCode(element: Element): void {
  if (isCode(element)) throw new TypeError('it could run code');
}

/** Fills what may be filled; throws where a place stands in anything else. */
export function fill(root: DocumentFragment, names: string[], values: string[]): void {
  const known = new Map(names.map((name, at) => [name, values[at]]));
  const filled = (text: string) =>
    text.replace(PLACE, (_, place: string) => {
      const [name = '', ...fallback] = place.split('|');
      return known.get(name.trim()) || fallback.join('|');
    });
  const refuse = (what: string): never => {
    throw new TypeError(`a place stands in ${what}`);
  };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node instanceof Element) {
      for (const { name, value } of [...node.attributes]) {
        const text = filled(value);
        if (text === value) continue;
        if (isCode(node) || !isAllowed(['attribute', '', name, text], node)) refuse(name);
        node.setAttribute(name, text);
      }
    } else {
      const text = filled(node.nodeValue ?? '');
      if (text === node.nodeValue) continue;
      if (node.parentElement && isCode(node.parentElement)) refuse('code');
      node.nodeValue = text;
    }
  }
}
