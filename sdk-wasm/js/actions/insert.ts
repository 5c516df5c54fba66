/** The content of a template of the page, with its places filled, beside or in an element. */

import type { Made } from '../dom/change.ts';
import { fill } from './places.ts';

/** Inserts what the template holds. It stays where it is put: what the page adds there later is not overtaken. */
export function makeInsert(
  element: HTMLElement,
  [template = '', position, ...names]: string[],
  values: string[],
): Made {
  const source = document.querySelector(template);
  if (!(source instanceof HTMLTemplateElement)) {
    if (document.readyState !== 'loading') throw new TypeError(`no template ${template}`);
    // It may stand further below.
    return { holds: () => !document.querySelector(template), undo() {} };
  }
  // In the template's own document nothing loads and nothing runs until all places are filled.
  const content = source.content.cloneNode(true) as DocumentFragment;
  fill(content, names, values);
  const nodes = [...content.childNodes];
  element[position as 'before' | 'prepend' | 'append' | 'after'](...nodes);
  return {
    holds: () => nodes.some((node) => node.isConnected),
    undo() {
      for (const node of nodes) node.remove();
    },
  };
}
