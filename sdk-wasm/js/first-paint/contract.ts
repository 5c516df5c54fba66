/** What the loader and the script tell each other: what has been painted already, and what the next page may paint. */

import type { CampaignPage } from '../campaign-record.ts';
import type { Filling, Forecast } from '../core/effects.ts';
import type { Page, Report } from '../dom/page.ts';
import type { shared } from './shared.ts';

/** What a page that begins now would decide. */
export interface Outlook extends CampaignPage {
  member: string;
  /** Granted purposes, by bits: now, and as `init` was told. */
  granted: number;
  initial: number;
  /** The context that decisions have read from. */
  /** Decides every slot for a page load of a session; of one that has not begun where none is named. */
  forecast(session: string): Forecast[];
}

/** What was painted before the core was there. */
export interface FirstPaint {
  /** What the script need not bring. */
  readonly shared: typeof shared;
  /** The document, with the changes of stored decisions in it. */
  readonly page: Page;
  /** What the server has written into the page that is no decision. */
  readonly unread: readonly unknown[];
  /** Hears of problems with the changes from now on. */
  hear(report: Report): void;
  /**
   * Says that slots are decided, and reveals what waits for that. Where the core has rules, slots that it leaves empty
   * lose what was painted; `isFilled` says of a slot whether it is filled.
   */
  settle(isFilled: ((slot: string) => boolean) | undefined): void;
}

/** What a slot was last decided to be, with its place in the record. */
export type Painted = [slot: string, filling: Filling];
