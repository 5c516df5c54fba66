/** Text of HTML from templates: values are escaped, unless they are HTML already. */

/** HTML that is safe to insert as it is. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | false | undefined | readonly Part[];

/** Template tag that escapes every value that is not `Html`. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, place) => text + written(values[place - 1]) + string));
}

/** HTML from our own drawings. */
export const raw = (text: string): Html => new Html(text);

/** Replaces what an element holds. */
export function fill(element: Element, content: Html): void {
  element.innerHTML = content.text;
}

/** The first element that fits, which must be there. */
export function find<Kind extends Element = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): Kind {
  const element = within.querySelector<Kind>(selector);
  if (!element) throw new Error(`no element fits ${selector}`);
  return element;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(written).join('');
  return String(part).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
