/**
 * The loader, `/sdk/loader.js`: runs while the page is being parsed, paints what is known of it already, and loads the
 * script, which decides and takes over.
 */

import { openStorage } from '../browser/storage.ts';
import { readWishes } from '../browser/wishes.ts';
import { captureState, defaultConsent, grantedBits, saidIn } from '../consent.ts';
import { deviceContext, type Json, pageContext, timeZone } from '../context.ts';
import type { Decision } from '../decision.ts';
import type { Change } from '../dom/change.ts';
import { openPage, type Problem } from '../dom/page.ts';
import { changesOf, decisionOf } from '../driver/decisions.ts';
import { openQueue } from '../queue.ts';
import type { FirstPaint } from './contract.ts';
import { openHiding } from './hiding.ts';
import { openRecord } from './record.ts';
import { readServed } from './served.ts';

/** How long elements stay hidden that wait for their decision. */
const MAX_HIDDEN_MS = 300;

const here = window as unknown as { attune?: unknown };

function start(tag: HTMLScriptElement): void {
  const { writeKey = '', slots = '', hideMs = MAX_HIDDEN_MS, consent } = tag.dataset;
  const said = consent === undefined ? defaultConsent(readWishes(), false) : saidIn(consent);
  const space = `attune/${writeKey}/`;
  const hiding = openHiding(Number(hideMs));
  const decisions = new Map<string, Decision>();
  let report: Parameters<FirstPaint['hear']>[0] | undefined;
  const problems: [Problem, string][] = [];
  const page = openPage(
    (...problem) => (report ? report(...problem) : problems.push(problem)),
    ([kind], element) => kind !== 'text' || isParsed(element),
  );
  const painted = new Map<string, Change[]>();
  /** Texts wait until their element is there as a whole: the parser would go on writing behind them. */
  const texts = new Set<string>();

  const storage = openStorage(() => captureState(said) === 'granted');
  const beginning = {
    context: {
      page: pageContext(),
      device: deviceContext(),
      locale: navigator.language,
      time_zone: timeZone(),
    },
    granted: grantedBits(said),
    isSaid: consent !== undefined,
    nowMs: Date.now(),
  };
  const recalled = openRecord(storage, space).recall(beginning);
  const found = new Map([...recalled.painted, ...readServed()]);
  for (const [slot, filling] of found) {
    const changes = changesOf(filling);
    painted.set(slot, changes);
    decisions.set(slot, decisionOf(slot, filling));
    for (const [kind, target] of changes) if (kind === 'text') texts.add(target);
  }
  for (const slot of slots.split(/\s+/)) {
    if (slot && !recalled.known.has(slot) && !recalled.open.has(slot))
      recalled.open.set(slot, [`[data-attune-slot="${CSS.escape(slot)}"]`]);
  }
  for (const [slot, targets] of recalled.open)
    if (!found.has(slot)) for (const target of targets) hiding.hide(slot, target);
  for (const target of texts) hiding.hide(target, target);

  const paint = () => {
    for (const [slot, changes] of painted) page.set(slot, changes);
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
    page,
    hear(hears) {
      report = hears;
      for (const problem of problems.splice(0)) hears(...problem);
    },
    settle(isFilled) {
      for (const slot of painted.keys()) if (isFilled && !isFilled(slot)) page.set(slot, []);
      painted.clear();
      reveal();
    },
    keep: (outlook, storage) => openRecord(storage, space).keep(outlook, Date.now()),
  };
  here.attune = Object.assign(openQueue(), {
    tag,
    first,
    decision: (slot: string) => decisions.get(slot),
    variable(name: string, fallback: Json) {
      const giving = [...decisions.values()].find(({ variables }) => Object.hasOwn(variables, name));
      const value = giving?.variables[name];
      return typeof value === typeof fallback ? value : fallback;
    },
  });
  // It has to come behind the page's own, which makes the changes.
  watch.observe(document, { childList: true, subtree: true });
  paint();
  document.addEventListener('DOMContentLoaded', paint);
  import(new URL('attune.js', tag.src || tag.dataset.src).href).catch(reveal);
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

if (!here.attune) start(document.currentScript as HTMLScriptElement);
