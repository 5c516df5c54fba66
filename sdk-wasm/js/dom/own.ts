/** What an element has by itself: the fields of a form may have the names of its properties. */

export function own<Name extends keyof HTMLElement>(element: HTMLElement, name: Name): HTMLElement[Name] {
  return Reflect.get(Object.getPrototypeOf(element), name, element);
}
