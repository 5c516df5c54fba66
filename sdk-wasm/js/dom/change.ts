/** One change to one element: made, recognised, made again and taken back. */

const HIDDEN = 'hidden';
const DISPLAY = 'display';
const STYLE = 'style';
const IMPORTANT = 'important';

/** A change to the elements that the selector `target` finds. Text is only ever inserted as text. */
export type Change =
  | { kind: 'text'; target: string; value: string }
  | { kind: 'attribute'; target: string; name: string; value: string }
  | { kind: 'class'; target: string; add: string[]; remove: string[] }
  | { kind: 'style'; target: string; name: string; value: string }
  | { kind: 'hide' | 'show'; target: string };

/** A change in place on one element. */
export interface Made {
  /** Whether it still is. */
  holds(): boolean;
  /** Takes it back. */
  undo(): void;
}

type Styled = Element & ElementCSSInlineStyle;

/** The attribute whose mutation can undo a change; nothing where child nodes or text would. */
export function watchedAttribute(change: Change): string | undefined {
  if (change.kind === 'attribute') return change.name;
  if (change.kind === 'class') return 'class';
  if (change.kind === 'show') return HIDDEN;
  return change.kind === 'text' ? undefined : STYLE;
}

/** Makes a change; throws what the browser throws, such as for an attribute name that is none. */
export function make(change: Change, element: Element): Made {
  switch (change.kind) {
    case 'text':
      return setText(element, change.value);
    case 'attribute':
      return setAttribute(element, change.name, change.value);
    case 'class':
      return setClasses(element, change.add, change.remove);
    case 'style':
      return setStyle(element as Styled, change.name, change.value);
    case 'hide':
      return setStyle(element as Styled, DISPLAY, 'none', IMPORTANT);
    case 'show':
      return show(element as Styled);
  }
}

/** A framework goes on owning its text node where there is just one; otherwise the child nodes are set aside. */
function setText(element: Element, value: string): Made {
  const children = [...element.childNodes];
  const only = children.length === 1 ? children[0] : undefined;
  const node = only?.nodeType === Node.TEXT_NODE ? only : undefined;
  const before = node?.nodeValue ?? '';
  if (node) node.nodeValue = value;
  else element.textContent = value;
  return {
    holds: () => element.textContent === value,
    undo() {
      if (node) node.nodeValue = before;
      else element.replaceChildren(...children);
    },
  };
}

function setAttribute(element: Element, name: string, value: string): Made {
  const before = element.getAttribute(name);
  element.setAttribute(name, value);
  return {
    holds: () => element.getAttribute(name) === value,
    undo() {
      if (before === null) element.removeAttribute(name);
      else element.setAttribute(name, before);
    },
  };
}

function setClasses({ classList }: Element, add: string[], remove: string[]): Made {
  const has = (name: string) => classList.contains(name);
  const added = add.filter((name) => !has(name));
  const removed = remove.filter(has);
  classList.add(...added);
  classList.remove(...removed);
  return {
    holds: () => add.every(has) && !remove.some(has),
    undo() {
      classList.add(...removed);
      classList.remove(...added);
    },
  };
}

function setStyle({ style }: Styled, name: string, value: string, priority = ''): Made {
  const before = style.getPropertyValue(name);
  const priorityBefore = style.getPropertyPriority(name);
  style.setProperty(name, value, priority);
  // The browser has its own way of writing some values.
  const written = style.getPropertyValue(name);
  return {
    holds: () => style.getPropertyValue(name) === written,
    undo: () => style.setProperty(name, before, priorityBefore),
  };
}

function show(element: Styled): Made {
  const wasHidden = element.hasAttribute(HIDDEN);
  element.removeAttribute(HIDDEN);
  const inline = element.style.getPropertyValue(DISPLAY);
  const steps = [setStyle(element, DISPLAY, inline === 'none' ? '' : inline)];
  if (getComputedStyle(element).display === 'none') {
    steps.unshift(setStyle(element, DISPLAY, 'revert', IMPORTANT));
  }
  return {
    holds: () => !element.hasAttribute(HIDDEN),
    undo() {
      if (wasHidden) element.setAttribute(HIDDEN, '');
      for (const step of steps) step.undo();
    },
  };
}
