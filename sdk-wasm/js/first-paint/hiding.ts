/** Hides elements until they are decided, by a style sheet of its own, each for a time that is bounded. */

/** What is hidden. */
export interface Hiding {
  /** Hides what a selector finds until the answer is called. */
  hide(selector: string): () => void;
  /** Looks for what has appeared: an element stays hidden for so long from then on. */
  look(): void;
}

/** Hides nothing yet, and nothing for longer than `maxMs` once it is there; 0 hides nothing ever. */
export function openHiding(maxMs: number): Hiding {
  const sheet = new CSSStyleSheet();
  /** What reveals elements that are not there yet, so that their time does not run, with their selectors. */
  const absent = new Map<() => void, string>();
  return {
    hide(selector) {
      const reveal = () => rule?.style.removeProperty('visibility');
      let rule: CSSStyleRule | undefined;
      try {
        if (maxMs) {
          sheet.insertRule(`${selector}{visibility:hidden!important}`);
          rule = sheet.cssRules[0] as CSSStyleRule;
          absent.set(reveal, selector);
        }
      } catch {
        // What is no selector finds nothing that could be hidden.
      }
      return reveal;
    },
    look() {
      const { adoptedStyleSheets } = document;
      // The page may have put its own in place of all.
      if (!adoptedStyleSheets.includes(sheet)) adoptedStyleSheets.push(sheet);
      for (const [reveal, selector] of absent) {
        if (!document.querySelector(selector)) continue;
        absent.delete(reveal);
        setTimeout(reveal, maxMs);
      }
    },
  };
}
