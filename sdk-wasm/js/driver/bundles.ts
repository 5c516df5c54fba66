/** The bundle: fetched at start and whenever a newer one is heard of; the last good one stays. */

import type { Entries } from '../browser/entries.ts';
import { type Answer, get } from '../browser/http.ts';
import { timer } from '../browser/timer.ts';
import { BUNDLE, IN_SHARE, NAMED_BUNDLE } from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import type { Settings } from '../options.ts';
import type { Driving } from './driving.ts';
import { BUNDLE_ENTRY } from './state.ts';
import type { Unreachable } from './unreachable.ts';

/** What a collector says that has nothing to publish: any other server that knows no such address is a wrong one. */
const NOTHING_PUBLISHED = 'bundle_missing';

/** One attempt: says after how long the next is due by itself, if any; throws what is to be reported. */
export type Attempt = () => Promise<number | undefined>;

/** Loads what makes attempts that verify what they take. */
export type LoadTrust = () => Promise<{
  openKeeper(driving: Driving, settings: Settings): Promise<Attempt>;
}>;

/** Why an attempt has failed: the status of an answer that was none, or what was thrown. */
export interface Failure {
  cause: Error | { status: number | undefined } | Unreachable;
}

/** Fetches one bundle at a time. */
export interface Bundles {
  /** Fetches the bundle now, unless requests are blocked; as a probe also then, unless one is on its way. */
  fetch(isProbe?: boolean): void;
  /** Takes what an earlier page load has stored, unless something newer is in effect already. */
  restore(bytes: Uint8Array): void;
  /** Fetches the bundle after a delay, unless it is fetched before. */
  again(delayMs: number): void;
  /** Fetches no more. */
  end(): void;
}

/**
 * Calls back after every attempt, and says why it has failed where it has. Where the settings name trusted keys, nothing
 * reaches the core unverified, and nothing is stored; elsewhere the bundle is stored, so that the next page decides
 * before the collector has answered. `asked` is the answer to a question that has been asked already.
 */
export function openBundles(
  driving: Driving,
  settings: Settings,
  entries: Entries,
  asked: Promise<Answer | undefined> | undefined,
  attempted: (failure: Failure | undefined) => void,
): Bundles {
  const { ask, core, heard, input, url, whole, taken, isEnded, isBlocked } = driving;
  /** What is in effect, as it was stored. */
  let restored: Uint8Array | undefined;
  /** Whether the collector has said on this page what is to be in effect. */
  let isTold = false;
  const retry = timer();
  let isFetching = false;
  /** Whether another one was asked for while one was on its way. */
  let isStale = false;
  let keep: Attempt | undefined;

  const attempt: Attempt = async () => {
    const { trust, loadTrust } = settings;
    if (trust) {
      keep ??= await (await loadTrust()).openKeeper(driving, settings);
      return keep();
    }
    const asking = asked ?? get(url('/v1/bundle'));
    asked = undefined;
    let answer = heard(await asking);
    await taken();
    const [hash, share, seed] = answer?.candidate?.split(';') ?? [];
    if (seed) await whole;
    if (seed && ask(IN_SHARE, decodeURIComponent(seed), Number(share))) {
      answer = await get(url(`/v1/bundle/${hash}`), 'default');
    }
    const { status, body } = answer ?? {};
    // Where nothing has been published, a receipt or the stream will say when something has.
    if (status !== 200 && !(body && textOf(body).includes(NOTHING_PUBLISHED))) throw { status };
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
    const isRead = input(() => core(operation, bytes), url('/v1/bundle'));
    if (isRead) entries.put(BUNDLE_ENTRY, () => bytes);
  };
  const fetch = async (isProbe?: boolean) => {
    isStale = isFetching && (isStale || !isProbe);
    if (isFetching || isEnded() || (isBlocked() && !isProbe)) return;
    isFetching = true;
    retry.clear();
    let failure: Failure | undefined;
    try {
      const againMs = await attempt();
      if (againMs) again(againMs);
    } catch (cause) {
      failure = { cause: cause as Failure['cause'] };
    }
    isFetching = false;
    attempted(failure);
    if (isStale) fetch();
  };
  const again = (delayMs: number) => {
    if (!isEnded()) retry.set(delayMs, fetch);
  };
  return {
    fetch,
    again,
    restore(bytes) {
      if (isTold || settings.trust) return;
      restored = bytes;
      if (!input(() => core(NAMED_BUNDLE, bytes), 'the stored bundle')) entries.delete(BUNDLE_ENTRY);
    },
    end: retry.clear,
  };
}
