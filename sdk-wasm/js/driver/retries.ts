/** When the bundle is fetched again by itself after a failure, and what is said of that. */

import type { Failure } from './bundles.ts';
import type { Driving } from './driving.ts';
import { backoffMs } from './retry.ts';
import { type Unreachable, unreachable } from './unreachable.ts';

/** First delay after a failure; later ones double, this often. */
const RETRY_BASE_MS = 2_000;
const MAX_DOUBLINGS = 5;

/** Refusals of what the collector has signed for others than those whom the site trusts and names: an option is wrong. */
const IS_FOR_OTHERS = /unknown_key|wrong_(pro|env)/;

/** Takes in how an attempt has ended; where it has failed, says once why, and makes the next one due. */
export type Retries = (failure: Failure | undefined) => void;

/** Nothing has failed yet. */
export function openRetries(
  { report, url }: Driving,
  fetchLater: (delayMs: number) => void,
  fetched: () => void,
): Retries {
  let failures = 0;
  /** The code of the failure that the page has been told of last. */
  let told: string | undefined;
  return (failure) => {
    if (!failure) {
      failures = 0;
      told = undefined;
      return fetched();
    }
    const { cause } = failure;
    const why =
      cause instanceof Error || 'code' in cause ? cause : unreachable(url('/v1/bundle'), cause.status);
    const { code = 'trust_unavailable', message, isUsage } = why as Partial<Unreachable> & Error;
    if (code !== told) report(code, message, isUsage ?? IS_FOR_OTHERS.test(code));
    told = code;
    fetchLater(backoffMs(RETRY_BASE_MS, failures++, MAX_DOUBLINGS));
  };
}
