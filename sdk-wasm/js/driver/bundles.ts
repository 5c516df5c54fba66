/** The bundle: fetched at start and whenever a newer one is heard of; the last good one stays. */

import { get } from '../browser/http.ts';
import { timer } from '../browser/timer.ts';
import { BUNDLE } from '../core/operations.ts';
import type { Driving } from './driving.ts';
import { backoffMs } from './retry.ts';

/** First delay after a failure; later ones double, this often. */
const RETRY_BASE_MS = 2_000;
const MAX_DOUBLINGS = 5;

/** Fetches one bundle at a time. */
export interface Bundles {
  /** Fetches the bundle now. */
  fetch(): void;
  /** Fetches no more. */
  end(): void;
}

/** Calls back after every attempt. */
export function openBundles({ core, input, report, url, isEnded }: Driving, attempted: () => void): Bundles {
  const retry = timer();
  let isFetching = false;
  /** Whether another one was asked for while one was on its way. */
  let isStale = false;
  let failures = 0;

  const retryLater = (status?: number) => {
    if (failures === 0) {
      const why = status ? `status ${status}` : 'no answer';
      report('bundle_unreachable', `the bundle cannot be fetched (${why}); what is in effect stays`);
    }
    if (!isEnded()) retry.set(backoffMs(RETRY_BASE_MS, failures, MAX_DOUBLINGS), fetch);
    failures += 1;
  };
  const fetch = async () => {
    isStale = isFetching;
    if (isFetching || isEnded()) return;
    isFetching = true;
    retry.clear();
    const { status, body } = (await get(url('/v1/bundle'))) ?? {};
    isFetching = false;
    // Where nothing has been published, a receipt or the stream will say when something has.
    if (status === 200 || status === 404) failures = 0;
    else retryLater(status);
    if (status === 200 && body) input(() => core(BUNDLE, body), "the collector's bundle");
    attempted();
    if (isStale) fetch();
  };
  return { fetch, end: retry.clear };
}
