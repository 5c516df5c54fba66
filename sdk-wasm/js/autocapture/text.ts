/** What a link or a button says, without anything that the visitor has entered or that is masked. */

import { fits } from './element.ts';

const MAX_CHARS = 60;
const UNREAD = 'input,textarea,select,script,style,[contenteditable],[data-attune-mask],[data-attune-ignore]';

/** The text that is shown in an element, with single spaces. */
export function textOf(element: Element): string {
  return read('', element).slice(0, MAX_CHARS).trim();
}

/** Reads no further than it has to. */
function read(before: string, node: Node): string {
  if (before.length > MAX_CHARS) return before;
  if (node instanceof Text) return (before + node.data).replace(/\s+/g, ' ').trimStart();
  if (!(node instanceof Element) || fits(node, UNREAD)) return before;
  const assigned = node instanceof HTMLSlotElement ? node.assignedNodes() : [];
  return [...(assigned[0] ? assigned : node.childNodes)].reduce(read, before);
}
