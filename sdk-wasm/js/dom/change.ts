/** One change to one element: made, recognised, made again and taken back. */

import { own } from './own.ts';

/** No name of an attribute: which ones that changes may leave empty an element did not have before the first of them. */
const BARE = ' ';

/** A change to the elements that the selector `target` finds. Text is only ever inserted as text. */
export type Change =
  | [kind: 'text', target: string, value: string]
  | [kind: 'attribute', target: string, name: string, value: string]
  | [kind: 'class', target: string, add: string[], remove: string[]]
  | [kind: 'style', target: string, property: string, value: string]
  | [kind: 'hide' | 'show', target: string]
  | Further;

/** A change of a kind that few bundles have, which is the first of its texts: `actions.ts` knows what the rest says. */
export type Further = [kind: 'further', target: string, texts: string[], filled: string[]];

/** A change that has been made on one element. */
export interface Made {
  /** What is to be told of it although it is in effect. */
  readonly problem?: Error;
  /** Whether it is in place, or a later change of ours is. */
  holds(): boolean;
  /** Takes it back where it is in place; what the page has changed since stays. */
  undo(): void;
}

/** The attribute whose mutation can undo a change; nothing where child nodes or text would. */
export function watchedAttribute(change: Change): string | undefined {
  if (change[0] === 'attribute') return change[2];
  const watched: Partial<Record<Change[0], string>> = {
    class: 'class',
    style: 'style',
    hide: 'style',
    show: 'hidden',
  };
  return watched[change[0]];
}

/**
 * By what is changed, and the name of what of it: the value that is there as far as we know, as the browser writes it; what
 * the page has there; and what each change in effect has, of which the last is there.
 */
const PLACES = new WeakMap<object, Record<string, unknown[]>>();

function placesOf(owner: object): Record<string, unknown[]> {
  // Names of attributes and classes may be those of what every object has.
  const places = PLACES.get(owner) ?? Object.create(null);
  PLACES.set(owner, places);
  return places;
}

/** Makes a change; throws what the browser throws, such as for an attribute name that is none. */
export function make(change: Exclude<Change, Further>, element: HTMLElement): Made {
  const places = placesOf(element);
  places[BARE] ??= ['class', 'style'].filter((name) => !element.hasAttribute(name));
  const bare = places[BARE] as string[];
  const { holds, undo } = makeOn(element, change);
  return {
    holds,
    undo() {
      undo();
      for (const name of bare) if (!element.getAttribute(name)) element.removeAttribute(name);
    },
  };
}

function makeOn(element: HTMLElement, change: Exclude<Change, Further>): Made {
  switch (change[0]) {
    case 'text':
      return setText(element, change[2]);
    case 'attribute':
      return setAttribute(element, change[2], change[3]);
    case 'class':
      return setClasses(element.classList, change[2], change[3]);
    case 'style':
      return setStyle(own(element, 'style'), change[2], change[3]);
    case 'hide':
      return setStyle(own(element, 'style'), 'display', 'none', 'important');
    case 'show':
      return show(element);
  }
}

/**
 * Puts a value, with what belongs to it, in place of another. In whichever order such changes are taken back, what the page
 * has comes back.
 */
export function exchange<Value extends [unknown, ...unknown[]]>(
  owner: object,
  name: string,
  read: () => Value,
  write: (...value: Value) => void,
  ...value: Value
): Made {
  const places = placesOf(owner);
  places[name] ??= [places];
  const place = places[name];
  /** What the page has put there since is what it wants to see when the changes are taken back. */
  const look = () => {
    const now = read();
    if (now[0] !== place[0]) place[1] = now;
  };
  const put = () => {
    write(...(place.at(-1) as Value));
    [place[0]] = read();
  };
  look();
  place.push(value);
  put();
  return {
    holds: () => place.at(-1) !== value || read()[0] === place[0],
    undo() {
      look();
      const at = place.indexOf(value);
      place.splice(at, 1);
      if (at === place.length) put();
    },
  };
}

/**
 * Its first text becomes the value. What else an element has stays where it is, texts emptied and elements hidden: a framework
 * goes on owning it.
 */
function setText(element: HTMLElement, value: string): Made {
  const found = [...element.childNodes].find((node) => node instanceof Text);
  const shown = found ?? element.appendChild(new Text());
  const parts = new Map(
    [...element.childNodes].map((node) => [node, setNode(node, node === shown ? value : '')]),
  );
  const { undo } = all([...parts.values()]);
  return {
    holds: () => element.contains(shown) && [...element.childNodes].every((node) => parts.get(node)?.holds()),
    undo() {
      undo();
      if (!found) shown.remove();
    },
  };
}

/** Has a text say something else, and hides any other node. */
export function setNode(node: Node, value: string): Made {
  if (!(node instanceof Text))
    return node instanceof Element ? make(['hide', ''], node as HTMLElement) : all([]);
  return exchange(
    node,
    '',
    () => [node.data],
    (data) => {
      node.data = data;
    },
    value,
  );
}

function setAttribute(element: HTMLElement, name: string, value: string | null): Made {
  return exchange(
    element,
    name,
    () => [element.getAttribute(name)],
    (text) => (text === null ? element.removeAttribute(name) : element.setAttribute(name, text)),
    value,
  );
}

function setClasses(classes: DOMTokenList, add: string[], remove: string[]): Made {
  const set = (isThere: boolean) => (name: string) =>
    exchange(
      classes,
      name,
      () => [classes.contains(name)],
      (value) => classes.toggle(name, value),
      isThere,
    );
  return all([...add.map(set(true)), ...remove.map(set(false))]);
}

/** Sets one by one what a property stands for: each has a value of its own to come back. */
function setStyle(style: CSSStyleDeclaration, name: string, value: string, priority = ''): Made {
  const { style: given } = new Option();
  given.setProperty(name, value);
  const names = [...given];
  // What a variable stands for is known to the property as a whole only.
  if (names[0] && !given.getPropertyValue(names[0])) names.push(name);
  return all(names.map((name) => setOne(style, name, given.getPropertyValue(name), priority)));
}

function setOne(style: CSSStyleDeclaration, name: string, ...value: [text: string, priority: string]): Made {
  return exchange(
    style,
    name,
    () => [style.getPropertyValue(name), style.getPropertyPriority(name)],
    (text, priority) => style.setProperty(name, text, priority),
    ...value,
  );
}

function show(element: HTMLElement): Made {
  const style = own(element, 'style');
  const shown = setAttribute(element, 'hidden', null);
  const steps = [shown];
  if (style.display === 'none') steps.push(setOne(style, 'display', '', ''));
  // A style sheet hides it.
  if (getComputedStyle(element).display === 'none') {
    steps.push(setOne(style, 'display', 'revert', 'important'));
  }
  return { ...all(steps), holds: shown.holds };
}

function all(made: Made[]): Made {
  return {
    holds: () => made.every(({ holds }) => holds()),
    undo() {
      for (const { undo } of made.reverse()) undo();
    },
  };
}
