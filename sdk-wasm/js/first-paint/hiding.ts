/** Hides elements until they are decided, by a style sheet of its own, each for a time that is bounded. */

/** What is hidden. */
export interface Hiding {
  /** Hides what a selector finds, under a name, until it is revealed. */
  hide(name: string, selector: string): void;
  /** Reveals what is hidden under a name, or everything. */
  reveal(name?: string): void;
  /** Looks for what has appeared: an element stays hidden for so long from then on. */
  look(): void;
}

/** What a rule of the sheet hides, and whether that is there, so that its time runs. */
interface Rule {
  name: string;
  selector: string;
  isThere?: boolean;
}

/** Hides nothing yet, and nothing for longer than `maxMs` once it is there; 0 hides nothing ever. */
export function openHiding(maxMs: number): Hiding {
  const sheet = new CSSStyleSheet();
  /** The rules in their order. */
  const rules: Rule[] = [];
  const reveal = (name?: string) => {
    for (let at = rules.length; at--; ) {
      if (name !== undefined && rules[at]?.name !== name) continue;
      sheet.deleteRule(at);
      rules.splice(at, 1);
    }
  };
  return {
    hide(name, selector) {
      if (!maxMs) return;
      try {
        sheet.insertRule(`${selector}{visibility:hidden!important}`, rules.length);
        rules.push({ name, selector });
      } catch {
        // What is no selector finds nothing that could be hidden.
      }
    },
    reveal,
    look() {
      const { adoptedStyleSheets } = document;
      // The page may have put its own in place of all.
      if (!adoptedStyleSheets.includes(sheet)) adoptedStyleSheets.push(sheet);
      for (const rule of rules) {
        if (rule.isThere || !document.querySelector(rule.selector)) continue;
        rule.isThere = true;
        setTimeout(reveal, maxMs, rule.name);
      }
    },
  };
}
