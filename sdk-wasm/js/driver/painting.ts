/** The changes of decisions in the document: taken over from the loader, where there is one. */

import type { KeyValue } from '../browser/storage.ts';
import type { Filling } from '../core/effects.ts';
import { openPage, type Report } from '../dom/page.ts';
import type { Settings } from '../options.ts';
import { changesOf } from './decisions.ts';

/** What painting is made of. */
export interface PaintingOptions {
  settings: Pick<Settings, 'first' | 'loadActions'>;
  storage: KeyValue;
  /** Where what the next page may paint is stored. */
  key: string;
  report: Report;
}

/** The document with what decisions change in it. */
export interface Painting {
  /** Makes the changes of what fills a slot now. */
  paint(slot: string, filling: Filling | undefined): void;
  /** Says that slots are decided, by rules or without any; what the loader has painted and the rules leave empty is taken back. */
  settle(hasRules: boolean): void;
  /** The page leaves before anybody has kept what the next one may paint. */
  forgo(): void;
  /** Takes every change back. */
  end(): void;
}

/** Nothing is painted but by the loader. */
export function openPainting({ settings, storage, key, report }: PaintingOptions): Painting {
  const { first, loadActions } = settings;
  const page = first?.page ?? openPage(report, loadActions);
  // What has been wrong so far is reported at once.
  first?.hear(report);
  const filled = new Set<string>();
  let isSettled = false;

  // Nothing is to be painted that this page has made stale.
  const forgo = () => {
    if (isSettled) storage.removeItem(key);
  };
  return {
    paint(slot, filling) {
      if (filling) filled.add(slot);
      else filled.delete(slot);
      page.set(slot, changesOf(filling), filling?.[0]);
    },
    settle(hasRules) {
      isSettled = true;
      first?.settle(hasRules ? (slot) => filled.has(slot) : undefined);
      if (!first) forgo();
    },
    forgo,
    end: page.clear,
  };
}
