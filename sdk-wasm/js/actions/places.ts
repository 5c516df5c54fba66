/** Filling `{{name|fallback}}` in nodes that are in no document yet: values become text, never markup. */

import { isAllowed } from '../dom/allowed.ts';

const PLACE = /\{\{(.*?)\}\}/gs;
/** Elements of which an address or a text is code, or changes what other addresses mean. */
const CODE = 'script, style, link, meta, base, iframe, frame, object, embed';

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
        if (node.matches(CODE) || !isAllowed(['attribute', '', name, text])) refuse(name);
        node.setAttribute(name, text);
      }
    } else {
      const text = filled(node.nodeValue ?? '');
      if (text === node.nodeValue) continue;
      if (node.parentElement?.matches(CODE)) refuse('code');
      node.nodeValue = text;
    }
  }
}
