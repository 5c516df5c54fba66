/** What earlier page loads have left: what takes it back is loaded where there is any. */

import type { Change } from '../browser/database.ts';
import { inTime } from '../browser/in-time.ts';
import type { Adopted } from './adoption.ts';
import type { LoadRestore } from './contract.ts';
import { lanesIn } from './lanes.ts';
import type { Taking, TakingOptions } from './taking.ts';

/** Time for which the first decision waits for what takes it back. */
const PATIENCE_MS = 2_000;

/** What has been found, and what takes it back. */
export interface Found extends Adopted {
  taking: Taking;
}

/** What earlier page loads have left. */
export interface Past {
  /** Loads what takes it back; fails where that does not come. */
  open(): Promise<Taking>;
  /** Takes over what entries speak of; nothing where there is none, or where what does that does not come in time. */
  adopt(stored: Change[]): Promise<Found | undefined>;
}

/** Nothing has been loaded yet. */
export function openPast(load: LoadRestore, options: TakingOptions): Past {
  let taking: Taking | undefined;
  const open = async () => {
    const { openTaking } = await load();
    taking ??= openTaking(options);
    return taking;
  };
  return {
    open,
    async adopt(stored) {
      if (!lanesIn(stored).length) return undefined;
      try {
        const taking = await inTime(open(), PATIENCE_MS);
        return { ...(await taking.adopt(stored)), taking };
      } catch (cause) {
        options.host.tell('part_unavailable', 'restore.js', String(cause));
        return undefined;
      }
    },
  };
}
