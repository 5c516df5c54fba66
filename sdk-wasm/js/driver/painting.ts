/** The changes of decisions in the document: taken over from the loader, and kept for the loader of the next page. */

import type { KeyValue } from '../browser/storage.ts';
import { timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';
import type { Filling, Forecast } from '../core/effects.ts';
import { openPage, type Problem } from '../dom/page.ts';
import type { Outlook } from '../first-paint/contract.ts';
import type { Settings } from '../options.ts';
import { uuidV7 } from '../uuid.ts';
import { changesOf } from './decisions.ts';

/** How long after a change what the next page may paint is written anew. */
const KEEP_AFTER_MS = 500;

/** What painting is made of. */
export interface PaintingOptions {
  settings: Pick<Settings, 'first' | 'loadActions'>;
  storage: KeyValue;
  /** Where what the next page may paint is stored. */
  key: string;
  report(problem: Problem, target: string): void;
  /** Whom the page is for, and in which context. */
  visit(): Omit<Outlook, 'forecast'>;
  /** Makes the core hand each of its forecasts for a session to `foresee`. */
  forecast(session: string): void;
}

/** The document with what decisions change in it. */
export interface Painting {
  /** Makes the changes of what fills a slot now. */
  paint(slot: string, filling: Filling | undefined): void;
  /** Says that slots are decided, by rules or without any; what the loader has painted and the rules leave empty is taken back. */
  settle(hasRules: boolean): void;
  /** Takes one forecast in. */
  foresee(...forecast: Forecast): void;
  /** What the next page may paint may have changed. */
  changed(): void;
  /** The page may not come back: writes what is still to be written. */
  leave(): void;
  /** Takes every change back. */
  end(): void;
}

/** Nothing is painted but by the loader. */
export function openPainting(options: PaintingOptions): Painting {
  const { storage, key, report, visit } = options;
  const { first, loadActions } = options.settings;
  const page = first?.page ?? openPage(report, loadActions);
  first?.hear(report);
  const due = timer();
  const filled = new Set<string>();
  let forecasts: Forecast[] = [];

  const keep = () => {
    due.clear();
    const forecast = (session: string) => {
      forecasts = [];
      options.forecast(session || uuidV7(wallMs()));
      return forecasts;
    };
    first?.keep({ ...visit(), forecast }, storage);
  };
  return {
    paint(slot, filling) {
      if (filling) filled.add(slot);
      else filled.delete(slot);
      page.set(slot, changesOf(filling));
    },
    settle(hasRules) {
      first?.settle(hasRules ? (slot) => filled.has(slot) : undefined);
      // A page without the loader goes on without telling: nothing is to be painted that it has made stale.
      if (first) keep();
      else storage.removeItem(key);
    },
    foresee: (...found) => void forecasts.push(found),
    changed() {
      if (first && !due.isSet()) due.set(KEEP_AFTER_MS, keep);
    },
    leave() {
      if (due.isSet()) keep();
    },
    end() {
      due.clear();
      page.clear();
    },
  };
}
