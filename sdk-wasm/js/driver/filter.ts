/** What judges events before they are stored: by the policy that the site has said, and by that of the bundle. */

import type { Json, JsonObject } from '../context.ts';
import type { AttuneError } from '../errors.ts';
import type { Filter } from '../filter.ts';
import type { FilterPolicy } from '../filter-policy.ts';
import { jsonText } from '../json.ts';

/** Loads what judges; a bundle has its policy in the core's form. */
export type LoadFilter = () => Promise<{ openFilter(policy: FilterPolicy | Uint8Array): Promise<Filter> }>;

/** Totals of what a lane has not let through, by reason. */
export type Drops = Record<string, number>;

/** What stands between a capture and the core. */
export interface Gate {
  /** Whether nothing may be judged yet: which policy is in effect is not known, or what judges by it is being loaded. */
  isWaiting(): boolean;
  /** Takes the policy of the bundle that is in effect from now on, empty where it has none. */
  take(policy: Uint8Array): void;
  /** Whether that bundle has a policy. */
  hasPolicy(): boolean;
  /** The collector has said which bundle is in effect. */
  told(): void;
  /** What is left of an event's metadata, as text; nothing where it may not leave, and then it is counted. */
  pass(
    type: string,
    member: string,
    metadata: string | undefined,
  ): { metadata: string | undefined } | undefined;
  /** What is left of the context, as text; nothing of it while the gate waits. */
  strip(context: JsonObject): string;
  /** What has been dropped since the lane began. */
  drops(): Drops;
  /** A new lane begins. */
  renew(): void;
}

/** What a gate is opened with. */
export interface GateOptions {
  /** Judges by the policy of the site, where it has one. */
  filter: Filter | undefined;
  /** Whether a policy of the bundle is to be waited for. */
  awaits: boolean;
  load: LoadFilter;
  /** Hears what a schema does not allow, and of a policy that lets nothing through. */
  mistaken(code: string, message: string): void;
  /** Waits no longer. */
  opened(): void;
  /** What judges could not be loaded; it is tried again when the collector has been asked for the bundle again. */
  failed(code: string, message: string): void;
}

/** A gate that is open where there is no policy. An event passes where the site's policy and the bundle's let it. */
export function openGate({ filter, awaits, load, mistaken, opened, failed }: GateOptions): Gate {
  let drops: Drops = {};
  let isWaiting = awaits;
  let policy: Uint8Array = new Uint8Array();
  let ofBundle: Filter | undefined;
  let isLoading = false;
  const settle = async () => {
    const mine = policy;
    isLoading = true;
    try {
      // Never at once: the core may be waiting for its effect to be carried out.
      const loaded = await (mine.length ? load().then(({ openFilter }) => openFilter(mine)) : undefined);
      if (mine !== policy) return;
      ofBundle = loaded;
      isWaiting = false;
      if (loaded?.flaw) mistaken(...loaded.flaw);
      opened();
    } catch (cause) {
      const { code = 'wasm_unavailable', message } = cause as Partial<AttuneError>;
      const why = `what judges by the bundle's filter did not load, and events wait for it: ${message}`;
      if (mine === policy) failed(code, why);
    }
    isLoading = false;
  };
  return {
    isWaiting: () => isWaiting,
    hasPolicy: () => policy.length > 0,
    take(taken) {
      isWaiting = true;
      policy = taken;
      settle();
    },
    told() {
      if (isWaiting && !isLoading) settle();
    },
    pass(type, member, metadata) {
      let left = { metadata };
      for (const judge of [filter, ofBundle]) {
        if (!judge) continue;
        const verdict = judge.judge(
          type,
          member,
          left.metadata === undefined ? null : JSON.parse(left.metadata),
        );
        if ('code' in verdict) {
          drops[verdict.code] = (drops[verdict.code] ?? 0) + 1;
          if (verdict.code === 'schema_mismatch') mistaken(verdict.code, `${type}: ${verdict.message}`);
          return undefined;
        }
        if (metadata !== undefined) left = { metadata: jsonText(verdict.metadata) };
      }
      return left;
    },
    strip(context) {
      let left: Json = isWaiting ? {} : (context as Json);
      for (const judge of [filter, ofBundle]) if (judge) left = judge.strip(left);
      return jsonText(left ?? {});
    },
    drops: () => drops,
    renew() {
      drops = {};
    },
  };
}
