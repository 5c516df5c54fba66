/** The campaign that has brought a visitor here: what the address of a page says of it, kept for the visit. */

import type { KeyValue } from './browser/storage.ts';
import type { JsonObject } from './context.ts';
import { POLICY } from './driver/state.ts';
import { fieldsOf, isObject, parseJson } from './json.ts';

/** Parameters of an address that name a campaign, or by an id the click on an advertisement: `gclid`, `msclkid`, … */
const PARAMETER = /^(?:utm_(source|medium|campaign|term|content)|(\w+clk?id|[gw]braid))$/;

/** The campaign of a page, as its context has it. */
export interface Campaign {
  /** What the page's own address says; nothing where it names no campaign. */
  readonly own: JsonObject | undefined;
  /** Says in which session an event is; gives the campaign that the context is to have from now on, if it changes. */
  note(session: string | undefined): JsonObject | null | undefined;
}

/**
 * Reads the address, and keeps what it says in the site's storage, below a prefix. Where a filter has a say, that is what
 * it leaves: until `keepCampaign` knows, only which page has it.
 */
export function openCampaign(storage: KeyValue, space: string, filter?: unknown): Campaign {
  const own = campaignIn(location.search);
  const key = `${space}campaign`;
  let noted: string | undefined;
  return {
    own,
    note(session) {
      if (session === noted) return undefined;
      const isFirst = noted === undefined;
      noted = session;
      if (own) {
        const isFiltered = filter ?? storage.getItem(space + POLICY);
        storage.setItem(key, JSON.stringify([session, isFiltered ? performance.timeOrigin : own]));
        return undefined;
      }
      const [of, kept] = Object.values(fieldsOf(parseJson(storage.getItem(key))));
      if (of === session && isObject(kept)) return kept;
      return isFirst ? undefined : null;
    },
  };
}

function campaignIn(search: string): JsonObject | undefined {
  const found: JsonObject = {};
  new URLSearchParams(search).forEach((value, parameter) => {
    const [, field, click] = PARAMETER.exec(parameter) ?? [];
    const name = field ?? click;
    if (name && value) found[name === 'campaign' ? 'name' : name] = value;
  });
  return Object.keys(found).length ? found : undefined;
}
