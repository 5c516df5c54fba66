/** Events that pass what judges them, and how many have not, or have never come as far. */

import type { Drops, Judges } from '../filter/judges.ts';
import type { Gate } from './filter.ts';

/** What lets events through. */
export interface Passing {
  /** What is left of an event's metadata, as text; nothing where it may not leave, and then it is counted. */
  pass(type: string, member: string, metadata: string | undefined): ReturnType<Judges['pass']>;
  /** What has been dropped since the lane began. */
  drops(): Drops;
  /** How many calls have been lost since then, to be told now. */
  lost(): number;
  /** A new lane begins. */
  renew(): void;
}

/** Nothing has been dropped but the calls that are `lost`; `mistaken` hears what a schema does not allow. */
export function openPassing(
  gate: Pick<Gate, 'judges'>,
  mistaken: (code: string, message: string) => void,
  lost: () => number,
): Passing {
  let drops: Drops = {};
  /** How many lost calls are told, and how many of them by earlier lanes. */
  let told = 0;
  let earlier = 0;
  return {
    pass: (type, member, metadata) => {
      const judges = gate.judges();
      return judges ? judges.pass(type, member, metadata, drops, mistaken) : { metadata };
    },
    drops: () => drops,
    lost() {
      told = lost();
      return told - earlier;
    },
    renew() {
      drops = {};
      earlier = told;
    },
  };
}
