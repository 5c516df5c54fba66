/** The filter of a site's policy, where it has one: judges events before they are stored, and strips what goes with them. */

import type { Json, JsonObject } from '../context.ts';
import type { Filter } from '../filter.ts';
import type { FilterPolicy } from '../filter-policy.ts';
import { jsonText } from '../json.ts';

/** Loads what judges. */
export type LoadFilter = () => Promise<{ openFilter(policy: FilterPolicy): Promise<Filter> }>;

/** Totals of what a lane has not let through, by reason. */
export type Drops = Record<string, number>;

/** What stands between a capture and the core. */
export interface Gate {
  /** What is left of an event's metadata, as text; nothing where it may not leave, and then it is counted. */
  pass(
    type: string,
    member: string,
    metadata: string | undefined,
  ): { metadata: string | undefined } | undefined;
  /** What is left of the context, as text. */
  strip(context: JsonObject): string;
  /** What has been dropped since the lane began. */
  drops(): Drops;
  /** A new lane begins. */
  renew(): void;
}

/** A gate that is open where there is no filter; `mismatch` hears what a schema does not allow. */
export function openGate(
  filter: Filter | undefined,
  mismatch: (code: string, message: string) => void,
): Gate {
  let drops: Drops = {};
  return {
    pass(type, member, metadata) {
      if (!filter) return { metadata };
      const verdict = filter.judge(type, member, metadata === undefined ? null : JSON.parse(metadata));
      if ('code' in verdict) {
        drops[verdict.code] = (drops[verdict.code] ?? 0) + 1;
        if (verdict.code === 'schema_mismatch') mismatch(verdict.code, `${type}: ${verdict.message}`);
        return undefined;
      }
      return { metadata: metadata === undefined ? metadata : jsonText(verdict.metadata) };
    },
    strip: (context) => jsonText((filter ? filter.strip(context as Json) : context) ?? {}),
    drops: () => drops,
    renew() {
      drops = {};
    },
  };
}
