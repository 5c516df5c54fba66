/** Hides elements until they are decided, by style sheets of its own, each for a time that is bounded. */

import { timer } from '../browser/timer.ts';

const HIDDEN = '{visibility:hidden!important}';

/** What is hidden. */
export interface Hiding {
  /** Hides what a selector finds, under a name, until it is revealed. */
  hide(name: string, selector: string): void;
  /** Reveals what is hidden under a name, or everything. */
  reveal(name?: string): void;
  /** Looks for what has appeared: an element stays hidden for so long from then on. */
  look(): void;
}

interface Sheet {
  selector: string;
  sheet: CSSStyleSheet;
  due: ReturnType<typeof timer>;
}

/** Hides nothing yet, and nothing for longer than `maxMs` once it is there; 0 hides nothing ever. */
export function openHiding(maxMs: number): Hiding {
  const hidden = new Map<string, Sheet[]>();
  const reveal = (name?: string) => {
    const gone = [...hidden].filter(([known]) => name === undefined || known === name);
    for (const [known] of gone) hidden.delete(known);
    const sheets = new Set(gone.flatMap(([, sheets]) => sheets.map(({ sheet }) => sheet)));
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.has(sheet));
  };
  return {
    hide(name, selector) {
      if (!maxMs) return;
      const sheet = new CSSStyleSheet();
      try {
        sheet.insertRule(selector + HIDDEN);
      } catch {
        // What is no selector finds nothing that could be hidden.
        return;
      }
      hidden.set(name, [...(hidden.get(name) ?? []), { selector, sheet, due: timer() }]);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    reveal,
    look() {
      for (const [name, sheets] of hidden)
        for (const { selector, due } of sheets)
          if (!due.isSet() && document.querySelector(selector)) due.set(maxMs, () => reveal(name));
    },
  };
}
