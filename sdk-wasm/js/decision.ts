/** What fills a slot. */

import type { JsonObject } from './context.ts';

/** What fills a slot, and why. */
export interface Decision {
  /** The slot. */
  slot: string;
  /** Id of the rule that fills it. */
  rule: string;
  /** The key it holds for, where its rule counts by key. */
  key?: string;
  /** Why it holds: `level` by state, `latched` since an event. */
  reason: 'level' | 'latched';
  /** Since when it fills the slot on this page, RFC 3339. */
  since: string;
  /** The values it gives to app code, by name. */
  variables: JsonObject;
}
