/**
 * What judges by a site's filter policy where there is no WebAssembly: which events may leave. What they hold is looked
 * into by the core's filter alone, so here they hold nothing where a policy asks for that.
 */

import { usageError } from './errors.ts';
import { encodePolicy } from './filter/encode.ts';
import type { FilterPolicy, TypePolicy } from './filter-policy.ts';
import { hashOf } from './hash.ts';
import { isUuid } from './uuid.ts';

/** What event types of the SDK's own begin with. */
const OWN = 'attune.';
const SAMPLE_STEPS = 10_000;
const MINUTE_MS = 60_000;
/** What programs that open pages have in their names, as the core's filter knows them; a maker of phones ends like one. */
const BOTS =
  /(?<!cu)(bot|crawl|spider|headless|lighthouse|slurp|facebookexternalhit|mediapartners|phantomjs|puppeteer|playwright|selenium|webdriver|cypress|synthetic|prerender|preview|pagespeed|pingdom|gtmetrix|ptst\/|monitor|archiver|validator)/i;
/** What every e-mail address, phone and card number, IBAN and IP address has something of. */
const SUSPECT = /[@%+:]|(\d\D{0,3}){7}|\d\.\d/;

/** A policy at work. */
export interface PlainPolicy {
  /** Whether it looks into what events hold, so that they leave with nothing but ids, type and time. */
  isBare: boolean;
  /** Why an event of a member may not leave, by its code; nothing where it may. */
  judge(type: string, member: string): string | undefined;
  /** Whether a text is one of our ids, or has nothing that could be redacted. */
  isHarmless(text: string): boolean;
}

/** Checks a policy. Fails with `filter_invalid`. */
export function openPolicy(policy: FilterPolicy): PlainPolicy {
  try {
    encodePolicy(policy);
  } catch (cause) {
    throw usageError('filter_invalid', `init: option ${(cause as Error).message}`);
  }
  const { allow = [], deny = [], bots, seed = '', per_minute, redact = '', url_params, types = [] } = policy;
  const looksInside = (of: TypePolicy) => of.redact?.length || of.properties || of.others === 'remove';
  const isBare = redact.length > 0 || url_params !== undefined || types.some(looksInside);
  const isBot = bots === 'drop' && BOTS.test(navigator.userAgent);
  // The first that covers a type counts.
  const sorted = [...types].sort(byPattern);
  const buckets = new Map<unknown, [left: number, atMs: number]>();
  /** What is left of so many a minute: full at first, and refilled evenly. */
  const leftOf = (of: unknown, most: number) => {
    const nowMs = performance.now();
    const [left, atMs] = buckets.get(of) ?? [most, nowMs];
    const now = Math.min(most, left + ((nowMs - atMs) * most) / MINUTE_MS);
    buckets.set(of, [now, nowMs]);
    return now;
  };
  const take = (of: unknown) => {
    const bucket = buckets.get(of);
    if (bucket) bucket[0] -= 1;
  };
  const isHarmless = (text: string) => isUuid(text) || !SUSPECT.test(text);
  return {
    isBare,
    isHarmless,
    judge(type, member) {
      const isIn = (patterns: string[]) => patterns.some((pattern) => covers(pattern, type));
      const of = sorted.find(({ on }) => covers(on, type));
      if (isBot) return 'bot';
      const isAllowed = allow.length === 0 || type.startsWith(OWN) || isIn(allow);
      if (isIn(deny) || !isAllowed || (isBare && !isHarmless(type))) return 'denied_type';
      const share = Math.round((of?.sample ?? 1) * SAMPLE_STEPS);
      if (share < SAMPLE_STEPS && stepOf(seed, member) >= share) return 'sampled_out';
      const rates = [
        [of, of?.per_minute],
        [policy, per_minute],
      ] as const;
      if (rates.some(([of, most]) => most !== undefined && leftOf(of, most) < 1)) return 'rate_limited';
      for (const [of, most] of rates) if (most !== undefined) take(of);
      return undefined;
    },
  };
}

/** Whether a pattern stands for a type; only what begins like the SDK's own types covers those. */
function covers(pattern: string, type: string): boolean {
  const isMatch = pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
  return isMatch && (pattern.startsWith(OWN) || !type.startsWith(OWN));
}

/** Exact ones before longer patterns before shorter ones. */
function byPattern({ on }: TypePolicy, other: TypePolicy): number {
  const isOpen = (pattern: string) => Number(pattern.endsWith('*'));
  return isOpen(on) - isOpen(other.on) || other.on.length - on.length;
}

/** On which of the steps a member falls, as the core's filter has it: FNV-1a with 32 bits, and once more over its digits. */
function stepOf(seed: string, member: string): number {
  return hashOf(`${hashOf(seed + member)}`) % SAMPLE_STEPS;
}
