/** What judges events before they are stored: by the policy that the site has said, and by that of the bundle. */

import type { JsonObject } from '../context.ts';
import type { AttuneError } from '../errors.ts';
import type { Judges } from '../filter/judges.ts';
import type { FilterPolicy } from '../filter-policy.ts';
import { jsonText } from '../json.ts';

/** Loads what judges; a bundle has its policy in the core's form. */
export type LoadFilter = () => Promise<{
  openJudges(policy: FilterPolicy | Uint8Array, before?: Judges): Promise<Judges>;
}>;

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
  /** What judges events, where anything does. */
  judges(): Judges | undefined;
  /** What is left of the context, as text; nothing of it while the gate waits. */
  strip(context: JsonObject): string;
}

/** What a gate is opened with. */
export interface GateOptions {
  /** Judges by the policy of the site, where it has one. */
  site: Judges | undefined;
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
export function openGate({ site, awaits, load, mistaken, opened, failed }: GateOptions): Gate {
  let isWaiting = awaits;
  let policy: Uint8Array = new Uint8Array();
  let judges = site;
  let isLoading = false;
  const settle = async () => {
    const mine = policy;
    isLoading = true;
    try {
      // Never at once: the core may be waiting for its effect to be carried out.
      const loaded = await (mine.length ? load().then(({ openJudges }) => openJudges(mine, site)) : site);
      if (mine !== policy) return;
      judges = loaded;
      isWaiting = false;
      if (loaded?.flaw) mistaken(...loaded.flaw);
      opened();
    } catch (cause) {
      const { code = 'wasm_unavailable', message } = cause as AttuneError;
      if (mine === policy) failed(code, message);
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
    judges: () => judges,
    strip(context) {
      const left = isWaiting ? {} : judges ? judges.strip(context) : context;
      return jsonText(left ?? {});
    },
  };
}
