/** Events that pass what judges them, and how many have not. */

import type { Drops, Judges } from '../filter/judges.ts';
import type { Gate } from './filter.ts';

/** What lets events through. */
export interface Passing {
  /** What is left of an event's metadata, as text; nothing where it may not leave, and then it is counted. */
  pass(type: string, member: string, metadata: string | undefined): ReturnType<Judges['pass']>;
  /** What has been dropped since the lane began. */
  drops(): Drops;
  /** A new lane begins. */
  renew(): void;
}

/** Nothing has been dropped; `mistaken` hears what a schema does not allow. */
export function openPassing(
  gate: Pick<Gate, 'judges'>,
  mistaken: (code: string, message: string) => void,
): Passing {
  let drops: Drops = {};
  return {
    pass: (type, member, metadata) => {
      const judges = gate.judges();
      return judges ? judges.pass(type, member, metadata, drops, mistaken) : { metadata };
    },
    drops: () => drops,
    renew() {
      drops = {};
    },
  };
}
