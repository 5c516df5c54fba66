/** What is kept of a campaign where a filter has a say: what the filter leaves of it. */

import type { KeyValue } from './browser/storage.ts';
import type { JsonObject } from './context.ts';
import { fieldsOf, isObject, parseJson } from './json.ts';

/** A page, as far as its campaign is concerned. */
export interface CampaignPage {
  context: JsonObject;
  /** What the filter leaves of a value, as text; nothing of it before it is known which filter is in effect. */
  strip(value: JsonObject): string;
}

/**
 * Writes the campaign that `openCampaign` has left to this page, and takes out of one that is there what the filter forbids:
 * it may be older than the filter.
 */
export function keepCampaign(storage: KeyValue, space: string, { context, strip }: CampaignPage): void {
  const key = `${space}campaign`;
  const text = storage.getItem(key) ?? '';
  const [session, kept] = Object.values(fieldsOf(parseJson(text)));
  const campaign = kept === performance.timeOrigin ? context.campaign : kept;
  const left = isObject(campaign) && fieldsOf(parseJson(strip({ campaign }))).campaign;
  const record = JSON.stringify([session, left]);
  if (isObject(left) && record !== text) storage.setItem(key, record);
}
