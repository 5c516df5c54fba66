/** The panel of a preview: which rule fills which slot and why, and the way out. */

import type { Model } from './model.ts';
import type { Said } from './token.ts';
import { words } from './words.ts';

/** Rules of one slot that are explained, and slots whose rule is without being asked. */
const MAX_RULES = 50;
const STYLE = `
:host { all: initial; position: fixed; inset: auto 16px 16px auto; z-index: 2147483647; }
section { box-sizing: border-box; width: min(420px, calc(100vw - 32px)); max-height: 60vh; overflow: auto;
  padding: 12px 16px 16px; border-radius: 12px; background: #14161c; color: #f2f3f5;
  font: 13px/1.45 system-ui, sans-serif; box-shadow: 0 8px 32px #0008; }
header { display: flex; gap: 8px; align-items: baseline; justify-content: space-between; }
h2 { margin: 0; font-size: 14px; }
p { margin: 4px 0; color: #b5bac6; }
details { margin-top: 8px; border-top: 1px solid #343946; padding-top: 8px; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { color: #9ec5ff; }
small { display: block; margin-left: 14px; color: #b5bac6; font-size: 12px; }
mark { margin-left: 6px; padding: 0 6px; border-radius: 6px; background: #f6c453; color: #14161c; }
ul { margin: 6px 0 0; padding: 0 0 0 16px; }
li { margin: 3px 0; overflow-wrap: anywhere; color: #b5bac6; }
li b { color: #f2f3f5; }
button { font: inherit; color: inherit; background: #2b3040; border: 0; border-radius: 8px; padding: 5px 10px; cursor: pointer; }
button:focus-visible, summary:focus-visible { outline: 2px solid #9ec5ff; outline-offset: 2px; }
`;

/** The panel. */
export interface Overlay {
  /** Shows how things stand now. */
  show(): void;
  remove(): void;
}

/** Puts the panel into the page. It has no inline styles, and no markup is ever parsed. */
export function openOverlay(model: Model, said: Said, leave: () => void): Overlay {
  const host = document.createElement('div');
  host.dataset.attunePreview = '';
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const panel = make('section', '');
  panel.setAttribute('aria-label', 'Attune preview');
  const out = make('button', 'Leave preview');
  out.addEventListener('click', leave);
  const header = make('header', '', make('h2', 'Attune preview'), out);
  const until = make(
    'p',
    `Only in this tab, until ${new Date(said.expiresMs).toLocaleString()}. Nothing is sent.`,
  );
  const list = make('div', '');
  panel.append(header, until);
  if (model.unknown.length > 0) panel.append(make('p', `No such rule: ${model.unknown.join(', ')}`));
  panel.append(list);
  root.append(panel);
  document.body.append(host);
  const open = new Set<string>();
  const show = () => {
    const decisions = new Map(model.decide().map((decision) => [decision.slot, decision]));
    const slots = [...model.slots].map(([slot, rules], place) => {
      const decision = decisions.get(slot);
      const line = make('summary', `${slot} → `, make('b', decision?.rule ?? 'nothing'));
      if (decision?.isForced) line.append(make('mark', 'forced'));
      else if (decision?.rule && place < MAX_RULES) {
        line.append(make('small', words(model.explain(decision.rule))));
      }
      const details = make('details', '', line);
      const explain = () => {
        const lines = rules.slice(0, MAX_RULES).map((rule) => {
          const why = words(model.explain(rule));
          return make('li', '', make('b', rule), ` ${why}`);
        });
        if (rules.length > MAX_RULES) lines.push(make('li', `and ${rules.length - MAX_RULES} more`));
        details.append(make('ul', '', ...lines));
      };
      if (open.has(slot)) explain();
      details.open = open.has(slot);
      details.addEventListener('toggle', () => {
        if (details.open === open.has(slot)) return;
        if (details.open) open.add(slot);
        else open.delete(slot);
        details.querySelector('ul')?.remove();
        if (details.open) explain();
      });
      return details;
    });
    list.replaceChildren(...slots);
  };
  show();
  return { show, remove: () => host.remove() };
}

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.append(text, ...children);
  return element;
}
