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
/** Stages: what the loader can make is made; what is rare is made as well; the core has decided. */
const PAINTED = 0;
const MADE = 1;
const SETTLED = 2;

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
  const page = openPage((...problem) => report(...problem), loadActions, isReady);
  /** What reveals what is hidden for a change, or for one that is to be decided, with the stage it waits for. */
  const hidden = new Map<() => void, [change: Change, until: number]>();
  let stage = PAINTED;
  const hide = (change: Change, until: number) => hidden.set(hiding.hide(change[1]), [change, until]);

  const [found, open, isRare, unread, isTaking] = knownOf(tag, space);
  for (const [slot, filling] of found) decisions.set(slot, decisionOf(slot, filling));
  const look = () => {
    for (const [reveal, [change, until]] of hidden) {
      if (until > stage || !isReady(change, find(change[1]))) continue;
      reveal();
      hidden.delete(reveal);
    }
    if (hidden.size) hiding.look();
    else watch.disconnect();
  };
  const watch = new MutationObserver(look);
  /** Reveals what waits for a stage, when all is made that waits for its code. */
  const reach = (next: number) =>
    page.whenMade(() => {
      stage = next;
      look();
    });

  const first: FirstPaint = {
    shared,
    page,
    unread,
    hear(hears) {
      report = hears;
      for (const problem of problems) hears(...problem);
    },
    settle(isFilled) {
      for (const slot of found.keys()) if (isFilled && !isFilled(slot)) page.set(slot, []);
      found.clear();
      reach(SETTLED);
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
  for (const targets of open.values()) for (const target of targets) hide(['text', target, ''], SETTLED);
  for (const [slot, filling] of found) {
    const changes = changesOf(filling);
    let until = PAINTED;
    for (const change of changes) {
      // In its slot, what stands behind a rare change waits for it.
      if (change[0] === 'further') until = MADE;
      if (until || change[0] === 'text') hide(change, until);
    }
    page.set(slot, changes, filling[0]);
  }
  reach(MADE);
  look();
  document.addEventListener('DOMContentLoaded', () => {
    // What has waited for the parser is made.
    page.set('', []);
    look();
  });
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
      reach(SETTLED);
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

/** A text, and what is rare, waits for the parser: it would go on writing behind them, or into a template. */
function isReady([kind, , value]: Change, element: Element | null): boolean {
  if (kind !== 'text' && kind !== 'further') return true;
  return isParsed(element) && (value[0] !== 'insert' || isParsed(find(`${value[1]}`)));
}

/** Whether the parser is done with an element; with one that is not there, at the end of the document. */
function isParsed(element: Element | null): boolean {
  if (document.readyState !== 'loading') return true;
  for (let at = element; at; at = at.parentElement) if (at.nextSibling) return true;
  return false;
}

// An element with that id is there under its name as well.
if (!here.attune?.init) start(document.currentScript as HTMLScriptElement);
