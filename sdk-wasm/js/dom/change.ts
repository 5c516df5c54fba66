/** One change to one element: made, recognised, made again and taken back. */

const HIDDEN = 'hidden';
const DISPLAY = 'display';
const IMPORTANT = 'important';

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

/** A change in place on one element. */
export interface Made {
  /** Whether it still is. */
  holds(): boolean;
  /** Takes it back. */
  undo(): void;
}

/** The attribute whose mutation can undo a change; nothing where child nodes or text would. */
export function watchedAttribute(change: Change): string | undefined {
  if (change[0] === 'attribute') return change[2];
  return { text: undefined, class: 'class', style: 'style', hide: 'style', show: HIDDEN }[
    change[0] as 'text'
  ];
}

/** By element: which attributes that changes may leave empty it did not have before the first of them. */
const BARE = new WeakMap<Element, string[]>();

/** Makes a change; throws what the browser throws, such as for an attribute name that is none. */
export function make(change: Exclude<Change, Further>, element: HTMLElement): Made {
  const bare = BARE.get(element) ?? ['class', 'style'].filter((name) => !element.hasAttribute(name));
  BARE.set(element, bare);
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
      return setStyle(element, change[2], change[3]);
    case 'hide':
      return setStyle(element, DISPLAY, 'none', IMPORTANT);
    case 'show':
      return show(element);
  }
}

/** Puts a value in place of another, as far as it can be read and written. */
function exchange<Value>(read: () => Value, write: (value: Value) => void, value: Value): Made {
  const before = read();
  write(value);
  // The browser has its own way of writing some values.
  const written = read();
  return { holds: () => read() === written, undo: () => write(before) };
}

/** A framework goes on owning its text node where there is just one; otherwise the child nodes are set aside. */
function setText(element: HTMLElement, value: string): Made {
  const children = [...element.childNodes];
  const only = children.length === 1 && children[0]?.nodeType === Node.TEXT_NODE ? children[0] : undefined;
  const { holds, undo } = exchange(
    () => element.textContent,
    (text) => {
      (only ?? element).textContent = text;
    },
    value,
  );
  return { holds, undo: only ? undo : () => element.replaceChildren(...children) };
}

function setAttribute(element: HTMLElement, name: string, value: string | null): Made {
  return exchange(
    () => element.getAttribute(name),
    (text) => (text === null ? element.removeAttribute(name) : element.setAttribute(name, text)),
    value,
  );
}

function setClasses(classes: DOMTokenList, add: string[], remove: string[]): Made {
  const set = (isThere: boolean) => (name: string) =>
    exchange(
      () => classes.contains(name),
      (value) => classes.toggle(name, value),
      isThere,
    );
  const made = [...add.map(set(true)), ...remove.map(set(false))];
  return { holds: () => made.every((one) => one.holds()), undo: () => undoAll(made) };
}

function setStyle({ style }: HTMLElement, name: string, value: string, important = ''): Made {
  const before = style.getPropertyPriority(name);
  let priority = important;
  const made = exchange(
    () => style.getPropertyValue(name),
    (text) => style.setProperty(name, text, priority),
    value,
  );
  // Whatever is written from now on is what was there before.
  priority = before;
  return made;
}

function show(element: HTMLElement): Made {
  const { style } = element;
  const shown = setAttribute(element, HIDDEN, null);
  const steps = [shown, setStyle(element, DISPLAY, style.display === 'none' ? '' : style.display)];
  // A style sheet hides it.
  if (getComputedStyle(element).display === 'none') {
    steps.push(setStyle(element, DISPLAY, 'revert', IMPORTANT));
  }
  return { holds: shown.holds, undo: () => undoAll(steps) };
}

function undoAll(steps: Made[]): void {
  for (const step of steps.reverse()) step.undo();
}
