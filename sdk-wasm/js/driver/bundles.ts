/** The bundle: fetched at start and whenever a newer one is heard of; the last good one stays. */

import type { Entries } from '../browser/entries.ts';
import { get } from '../browser/http.ts';
import { timer } from '../browser/timer.ts';
import { BUNDLE, IN_SHARE, NAMED_BUNDLE } from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import type { Settings } from '../options.ts';
import type { Driving } from './driving.ts';
import { BLOCKED_MS, backoffMs } from './retry.ts';
import { BUNDLE_ENTRY } from './state.ts';

/** First delay after a failure; later ones double, this often. */
const RETRY_BASE_MS = 2_000;
const MAX_DOUBLINGS = 5;
/** What a collector says that has nothing to publish: any other server that knows no such address is a wrong one. */
const NOTHING_PUBLISHED = 'bundle_missing';

/** One attempt: says after how long the next is due by itself, if any; throws what is to be reported. */
export type Attempt = () => Promise<number | undefined>;

/** Loads what makes attempts that verify what they take. */
export type LoadTrust = () => Promise<{
  openKeeper(driving: Driving, settings: Settings): Promise<Attempt>;
}>;

/** Fetches one bundle at a time. */
export interface Bundles {
  /** Fetches the bundle now. */
  fetch(): void;
  /** Takes what an earlier page load has stored, unless something newer is in effect already. */
  restore(bytes: Uint8Array): void;
  /** Fetches no more. */
  end(): void;
}

/**
 * Calls back after every attempt, and says whether it has succeeded. Where the settings name trusted keys, nothing reaches the core unverified, and nothing
 * is stored; elsewhere the bundle is stored, so that the next page decides before the collector has answered.
 */
export function openBundles(
  driving: Driving,
  settings: Settings,
  entries: Entries,
  attempted: (isTold: boolean) => void,
): Bundles {
  const { ask, core, heard, input, report, url, isEnded } = driving;
  /** What is in effect, as it was stored. */
  let restored: Uint8Array | undefined;
  /** Whether the collector has said on this page what is to be in effect. */
  let isTold = false;
  const retry = timer();
  let isFetching = false;
  /** Whether another one was asked for while one was on its way. */
  let isStale = false;
  let failures = 0;
  /** The code of the failure that the page has been told of last. */
  let told: string | undefined;
  let keep: Attempt | undefined;

  const attempt: Attempt = async () => {
    const { trust, loadTrust } = settings;
    if (trust) {
      keep ??= await (await loadTrust()).openKeeper(driving, settings);
      return keep();
    }
    let answer = heard(await get(url('/v1/bundle')));
    const [hash, share, seed] = answer?.candidate?.split(';') ?? [];
    if (seed && ask(IN_SHARE, decodeURIComponent(seed), Number(share))) {
      answer = await get(url(`/v1/bundle/${hash}`), 'default');
    }
    const { status, body } = answer ?? {};
    // Where nothing has been published, a receipt or the stream will say when something has.
    if (status !== 200 && !(body && textOf(body).includes(NOTHING_PUBLISHED)))
      throw unreachable(url('/v1/bundle'), status);
    if (status === 200 && body) take(body, hash !== undefined);
    else entries.delete(BUNDLE_ENTRY);
    return undefined;
  };
  const take = (bytes: Uint8Array, isNamed: boolean) => {
    // What is stored may be of a collector that has begun anew since, and whoever was in the share of a candidate before
    // another visitor came goes back.
    const operation = isNamed || !isTold ? NAMED_BUNDLE : BUNDLE;
    isTold = true;
    const isSame = restored?.length === bytes.length && restored.every((byte, at) => byte === bytes[at]);
    restored = undefined;
    if (isSame) return;
    const isRead = input(() => core(operation, bytes), "the collector's bundle");
    if (isRead) entries.put(BUNDLE_ENTRY, () => bytes);
  };
  const fetch = async () => {
    isStale = isFetching;
    if (isFetching || isEnded()) return;
    isFetching = true;
    retry.clear();
    let againMs: number | undefined;
    try {
      againMs = await attempt();
      failures = 0;
      told = undefined;
    } catch (cause) {
      const { code = 'trust_unavailable', message, isUsage } = cause as Partial<Unreachable> & Error;
      if (code !== told) report(code, message, isUsage);
      told = code;
      againMs = driving.isBlocked() ? BLOCKED_MS : backoffMs(RETRY_BASE_MS, failures++, MAX_DOUBLINGS);
    }
    isFetching = false;
    const isTold = told === undefined;
    if (againMs && !isEnded()) retry.set(againMs, fetch);
    attempted(isTold);
    if (isStale) fetch();
  };
  return {
    fetch,
    restore(bytes) {
      if (isTold || settings.trust) return;
      restored = bytes;
      if (!input(() => core(NAMED_BUNDLE, bytes), 'the stored bundle')) entries.delete(BUNDLE_ENTRY);
    },
    end: retry.clear,
  };
}

/** Why there is no answer, and whether that is the site's own mistake. */
export interface Unreachable {
  code: string;
  message: string;
  isUsage: boolean;
}

/** What is reported of an answer that is none. */
export function unreachable(address: string, status = 0): Unreachable {
  const why = status ? `status ${status}` : 'no answer';
  return {
    code: 'bundle_unreachable',
    message: `the bundle cannot be fetched (${address}: ${why}); what is in effect stays`,
    isUsage: [401, 403, 404].includes(status),
  };
}
