/** Keeps what the next page may paint before its core is there, and its campaign, as long as this one changes. */

import type { KeyValue } from '../browser/storage.ts';
import { timer } from '../browser/timer.ts';
import { keepCampaign } from '../campaign-record.ts';
import { wallMs } from '../clock.ts';
import type { Forecast } from '../core/effects.ts';
import type { Outlook } from '../first-paint/contract.ts';
import { keepRecord } from '../first-paint/keep.ts';

/** How long after a change what the next page may paint is written anew. */
const KEEP_AFTER_MS = 500;

/** What is needed of the page. */
export interface KeepingOptions {
  storage: KeyValue;
  /** The prefix of the site's names. */
  space: string;
  /** Whom the page is for, and in which context. */
  visit(): Omit<Outlook, 'forecast'>;
  /** Makes the core hand each of its forecasts for a session to `foresee`; nothing where there is no loader. */
  forecast: ((session: string) => void) | undefined;
}

/** What the next page may paint. */
export interface Keeping {
  /** Takes one forecast in. */
  foresee(...forecast: Forecast): void;
  /** It may have changed. */
  changed(): void;
  /** Writes what is still to be written: the page may not come back. */
  leave(): void;
  /** Writes no more. */
  end(): void;
}

/** Is to be written soon. */
export function openKeeping({ storage, space, visit, forecast }: KeepingOptions): Keeping {
  const due = timer();
  let forecasts: Forecast[] = [];
  const keep = () => {
    due.clear();
    const now = visit();
    keepCampaign(storage, space, now);
    if (!forecast) return;
    const outlook = (session: string) => {
      forecasts = [];
      forecast(session);
      return forecasts;
    };
    keepRecord(storage, space, { ...now, forecast: outlook }, wallMs());
  };
  due.set(0, keep);
  return {
    foresee: (...found) => void forecasts.push(found),
    changed() {
      if (!due.isSet()) due.set(KEEP_AFTER_MS, keep);
    },
    leave() {
      if (due.isSet()) keep();
    },
    end: due.clear,
  };
}
