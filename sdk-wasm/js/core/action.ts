/** The actions of a decision: changes to the page, and values for the page's own code. */

import type { Json } from '../context.ts';
import type { Change } from '../dom/change.ts';
import type { Reader } from './reader.ts';

/** A value under a name. */
export interface Variable {
  kind: 'variable';
  name: string;
  value: Json;
}

/** What a decision does. */
export type Action = Change | Variable;

/** Reads one action. */
export function readAction(reader: Reader): Action {
  const kind = reader.byte();
  const text = () => reader.text();
  const target = text();
  switch (kind) {
    case 0:
      return { kind: 'text', target, value: text() };
    case 1:
      return { kind: 'attribute', target, name: text(), value: text() };
    case 2:
      return { kind: 'class', target, add: reader.list(text), remove: reader.list(text) };
    case 3:
      return { kind: 'style', target, name: text(), value: text() };
    case 4:
      return { kind: 'hide', target };
    case 5:
      return { kind: 'show', target };
    default:
      return { kind: 'variable', name: target, value: reader.value() };
  }
}
