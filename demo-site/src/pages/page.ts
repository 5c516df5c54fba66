/** What every page of the shop is made of. */
import type { Attune, JsonObject } from 'attune';
import type { Cart } from '../cart';
import type { DemoConfig } from '../config';
import type { Html } from '../html';

/** What pages may use. */
export interface Shop {
  readonly attune: Attune;
  readonly cart: Cart;
  readonly config: DemoConfig;
}

export interface Page {
  readonly title: string;
  /** How much of the banner the page shows. */
  readonly banner: 'tall' | 'band' | 'none';
  /** What the page view says beside path and title. */
  readonly viewed?: JsonObject;
  readonly view: (shop: Shop) => Html;
  /** Called once the view is in the document; the signal ends with the page. */
  readonly shown?: (root: HTMLElement, shop: Shop, left: AbortSignal) => void;
}
