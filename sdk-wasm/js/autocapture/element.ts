/** Which element an event is about, in words that mean the same tomorrow. */

import type { JsonObject } from '../context.ts';
import type { Site } from './site.ts';
import { isStable } from './stable-names.ts';

/** The elements from one outwards, through open shadow roots. */
export type Path = [Element, ...Element[]];

const MAX_NAME_CHARS = 100;
const MAX_SELECTOR_CHARS = 160;
const MAX_CLASSES = 2;
/** How many elements are named at most: the one that is described and those above it. */
const MAX_ELEMENTS = 4;
/** Links that lead somewhere. */
export const LINK = 'a[href],area[href]';
/** What says by its text what it does. */
export const LABELLED = 'a,button,summary,[role=button],[role=link]';
const CONTROL = `[data-attune],${LINK},${LABELLED},input,select,textarea,label,[role=tab],[role^=menuitem]`;

/** Listens to what visitors do themselves, but for what the page wants ignored. */
export function onAct<Act extends Event>(
  site: Site,
  name: string,
  act: (path: Path, event: Act) => void,
): void {
  site.on<Act>(window, name, (event) => {
    const path = event.composedPath().filter((node) => (node as Node).nodeType === 1) as Element[];
    if (event.isTrusted && path[0] && !has(path, 'ignore')) act(path as Path, event);
  });
}

/** Whether a selector fits. Fields of a form hide the form's own methods where they have their names, so this is the class's. */
export function fits(element: Element, selector: string): boolean {
  return Element.prototype.matches.call(element, selector);
}

/** An attribute's value, in the same way; empty where there is none. */
export function attributeOf(element: Element, name: string): string {
  return Element.prototype.getAttribute.call(element, name) ?? '';
}

/** The path from the first element on that a selector fits; nothing where there is none. */
export function from(path: Path, selector: string): Path | undefined {
  const at = path.findIndex((element) => fits(element, selector));
  return at < 0 ? undefined : (path.slice(at) as Path);
}

/** The path from the control on that was acted upon; nothing where there is none. */
export function controlOf(path: Path): Path | undefined {
  return from(path, CONTROL) ?? pointedAt(path);
}

/** Whether what is inside is the visitor's own. */
export function isMasked(path: Path): boolean {
  return has(path, 'mask');
}

/** Name, selector and tag of the innermost element of a path. */
export function describe(path: Path): JsonObject {
  const name = path
    .map((element) => attributeOf(element, 'data-attune'))
    .find(Boolean)
    ?.slice(0, MAX_NAME_CHARS);
  const selector = name ? `[data-attune=${JSON.stringify(name)}]` : selectorOf(path);
  return { name, selector, tag: path[0].localName };
}

/** What scripts have made clickable is known by its cursor, which is handed down. */
function pointedAt(path: Path): Path | undefined {
  const end = path.findIndex((element) => getComputedStyle(element).cursor !== 'pointer');
  return end > 0 ? (path.slice(end - 1) as Path) : undefined;
}

function has(path: Element[], what: string): boolean {
  return path.some((element) => fits(element, `[data-attune-${what}]`));
}

/** The element, and what is above it, up to one that has an id. */
function selectorOf(path: Path): string {
  let selector = '';
  for (const element of path.slice(0, MAX_ELEMENTS)) {
    const part = partOf(element);
    const longer = selector ? `${part} > ${selector}` : part;
    if (longer.length > MAX_SELECTOR_CHARS) break;
    selector = longer;
    if (part[0] === '#') break;
  }
  return selector;
}

function partOf(element: Element): string {
  const stable = (name: string) => attributeOf(element, name).split(/\s+/).filter(isStable);
  const [id] = stable('id');
  if (id) return `#${id}`;
  const attributes = ['role', 'type'].map((name) => stable(name).map((value) => `[${name}=${value}]`));
  return [element.localName, ...stable('class').slice(0, MAX_CLASSES)].join('.') + attributes.join('');
}
