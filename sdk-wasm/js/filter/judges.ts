/** Policies at work, one behind the other: what one leaves of an event is what the next one sees. */

import type { Json } from '../context.ts';
import { jsonText } from '../json.ts';

/** What is left of an event, or why it may not leave. */
export type Verdict = { metadata: Json } | { code: string; message: string };

/** A policy at work. */
export interface Filter {
  /** Judges an event of a visitor before it gets a number. */
  judge(type: string, member: string, metadata: Json): Verdict;
  /** What is left of a value that leaves with every batch. */
  strip(value: Json): Json;
  /** What the site is to know of the policy: code and message. */
  readonly flaw: [code: string, message: string] | undefined;
}

/** Totals of what a lane has not let through, by reason. */
export type Drops = Record<string, number>;

/** Policies that judge one after the other: what one leaves is what the next one sees. */
export interface Judges extends Pick<Filter, 'flaw'> {
  /**
   * What is left of an event's metadata, as text; nothing where it may not leave: then `drops` counts it, and `mismatch`
   * hears what a schema does not allow.
   */
  pass(
    type: string,
    member: string,
    metadata: string | undefined,
    drops: Drops,
    mismatch: (code: string, message: string) => void,
  ): { metadata: string | undefined } | undefined;
  /** What is left of a value that leaves with every batch. */
  strip(value: Json): Json;
}

/** A policy that judges, behind others where there are some. */
export function judgesOf({ judge, strip, flaw }: Filter, before?: Judges): Judges {
  return {
    flaw,
    pass(type, member, metadata, drops, mismatch) {
      const passed = before ? before.pass(type, member, metadata, drops, mismatch) : { metadata };
      if (!passed) return undefined;
      const text = passed.metadata;
      const verdict = judge(type, member, text === undefined ? null : JSON.parse(text));
      if ('metadata' in verdict) return { metadata: text && jsonText(verdict.metadata) };
      const { code, message } = verdict;
      drops[code] = (drops[code] ?? 0) + 1;
      if (code === 'schema_mismatch') mismatch(code, `${type}: ${message}`);
      return undefined;
    },
    strip: (value) => strip(before ? before.strip(value) : value),
  };
}
