/** The content of a template of the page, with its places filled, beside or in an element. */

import type { Made } from '../dom/change.ts';
import { own } from '../dom/own.ts';
import { fill, refuseCode } from './places.ts';

/**
 * Inserts what the template holds. It stays where it is put: what the page adds there later is not overtaken. A template
 * that is not there yet is waited for, and told once the document has been read.
 */
export function makeInsert(
  element: HTMLElement,
  [template = '', position = '', ...names]: string[],
  values: string[],
): Made {
  if (position.endsWith('pend')) refuseCode(element);
  const source = document.querySelector(template);
  if (!source) {
    const isLoading = () => document.readyState === 'loading';
    const wasLoading = isLoading();
    const isSame = () => wasLoading === isLoading() && !document.querySelector(template);
    const problem = new TypeError(`no template ${template} yet`);
    return { ...(!wasLoading && { problem }), holds: isSame, undo() {} };
  }
  if (!(source instanceof HTMLTemplateElement)) throw new TypeError(`no template ${template}`);
  // In the template's own document nothing loads and nothing runs until all places are filled.
  const content = source.content.cloneNode(true) as DocumentFragment;
  fill(content, names, values);
  const nodes = [...content.childNodes];
  own(element, position as 'before' | 'prepend' | 'append' | 'after').apply(element, nodes);
  return {
    holds: () => nodes.some((node) => node.isConnected),
    undo() {
      for (const node of nodes) node.remove();
    },
  };
}
