/**
 * The loader, `/sdk/loader.js`: runs while the page is being parsed, paints what is known of it already, and loads the
 * script, which decides and takes over.
 */

import type { Json } from '../context.ts';
import { type Decision, variableIn } from '../decision.ts';
import type { Change } from '../dom/change.ts';
import { openPage, type Report } from '../dom/page.ts';
import { changesOf, decisionOf } from '../driver/decisions.ts';
import { previewToken } from '../preview-token.ts';
import { openQueue } from '../queue.ts';
import { closeSlips } from '../slip.ts';
import type { FirstPaint } from './contract.ts';
import { openHiding } from './hiding.ts';
import { knownOf } from './known.ts';
import { shared } from './shared.ts';

/** How long elements stay hidden that wait for their decision. */
const MAX_HIDDEN_MS = 300;

const here = window as unknown as { attune?: Record<string, unknown> };

function start(tag: HTMLScriptElement): void {
  closeSlips(tag);
  const { writeKey, hideMs = MAX_HIDDEN_MS, manual, strict } = tag.dataset;
  const space = `attune/${writeKey}/`;
  const beside = (file: string) => new URL(file, new URL(tag.dataset.src ?? tag.src, document.baseURI)).href;
  const hiding = openHiding(Number(hideMs));
  const decisions = new Map<string, Decision>();
  const problems: Parameters<Report>[] = [];
  let report: Report = (...problem) => void problems.push(problem);
  const loadActions = () => import(beside(ATTUNE_ACTIONS_FILE));
  const page = openPage(
    (...problem) => report(...problem),
    loadActions,
    ([kind], element) => kind !== 'text' || isParsed(element),
  );
  const painted = new Map<string, Change[]>();
  /** Texts wait until their element is there as a whole: the parser would go on writing behind them. */
  const texts = new Set<string>();

  const { found, open, isRare, unread, isTaking } = knownOf(tag, space);
  for (const [slot, filling] of found) {
    const changes = changesOf(filling);
    painted.set(slot, changes);
    decisions.set(slot, decisionOf(slot, filling));
    for (const [kind, target] of changes) if (kind === 'text') texts.add(target);
  }
  for (const [slot, targets] of open) for (const target of targets) hiding.hide(slot, target);
  for (const target of texts) hiding.hide(target, target);

  const paint = () => {
    for (const [slot, changes] of painted) page.set(slot, changes, decisions.get(slot)?.rule);
    look();
  };
  const look = () => {
    for (const target of texts) {
      const element = find(target);
      if (!element || !isParsed(element)) continue;
      hiding.reveal(target);
      texts.delete(target);
    }
    hiding.look();
  };
  const watch = new MutationObserver(look);
  const reveal = () => {
    watch.disconnect();
    hiding.reveal();
  };

  const first: FirstPaint = {
    shared,
    page,
    unread,
    hear(hears) {
      report = hears;
      for (const problem of problems) hears(...problem);
    },
    settle(isFilled) {
      for (const slot of painted.keys()) if (isFilled && !isFilled(slot)) page.set(slot, []);
      painted.clear();
      page.whenMade(reveal);
    },
  };
  here.attune = Object.assign(openQueue(), {
    tag,
    first,
    decision: (slot: string) => decisions.get(slot),
    variable: (name: string, fallback: Json) => variableIn(decisions.values(), name, fallback),
  });
  // It has to come behind the page's own, which makes the changes.
  watch.observe(document, { childList: true, subtree: true });
  paint();
  document.addEventListener('DOMContentLoaded', paint);
  // Failing is told where it is waited for.
  if (isRare) loadActions().catch(() => {});
  // A preview has a core of its own, and a strict page requests nothing before the visitor has agreed.
  if ((manual ?? (isTaking ? undefined : strict) ?? previewToken()) === undefined) {
    // Otherwise it would be asked for only when the script is there.
    const link = document.createElement('link');
    document.head.append(
      Object.assign(link, { rel: 'preload', as: 'fetch', crossOrigin: '', href: beside(ATTUNE_WASM_FILE) }),
    );
  }
  import(beside(ATTUNE_BEHIND_LOADER_FILE))
    .catch((cause) => {
      // The collector may have been upgraded since the browser took this loader; then there is another one, in one piece.
      if (cause instanceof TypeError) return import(beside('attune.js'));
      throw cause;
    })
    .catch((cause) => {
      reveal();
      // Such as an option that is none: the console is to have it, as it has what a script throws.
      throw cause;
    });
}

function find(selector: string): Element | null {
  try {
    return document.querySelector(selector);
  } catch {
    return null;
  }
}

/** Whether the parser is done with an element. */
function isParsed(element: Element): boolean {
  if (document.readyState !== 'loading') return true;
  for (let at: Element | null = element; at; at = at.parentElement) if (at.nextSibling) return true;
  return false;
}

// An element with that id is there under its name as well.
if (!here.attune?.init) start(document.currentScript as HTMLScriptElement);
