/** The bundle: fetched at start and whenever a newer one is heard of; the last good one stays. */

import { get } from '../browser/http.ts';
import { Timer } from '../browser/timer.ts';
import type { Driving } from './driving.ts';
import { backoffMs } from './retry.ts';

/** First delay after a failure; later ones double, this often. */
const RETRY_BASE_MS = 2_000;
const MAX_DOUBLINGS = 5;

/** Fetches one bundle at a time. */
export class Bundles {
  readonly #driver: Driving;
  readonly #fetched: () => void;
  readonly #retry = new Timer();
  #isFetching = false;
  /** Whether another one was asked for while one was on its way. */
  #isStale = false;
  #failures = 0;
  #revision = 0;

  /** Calls back after every attempt. */
  constructor(driver: Driving, fetched: () => void) {
    this.#driver = driver;
    this.#fetched = fetched;
  }

  /** Fetches the bundle if this revision is newer than the one in effect. */
  heardOf(revision: number): void {
    if (revision > this.#revision) this.fetch();
  }

  /** Fetches the bundle now. */
  async fetch(): Promise<void> {
    if (this.#driver.isEnded) return;
    this.#isStale = this.#isFetching;
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#retry.clear();
    const answer = await get(this.#driver.url('/v1/bundle'));
    this.#isFetching = false;
    if (answer?.status === 200) this.#take(answer.body);
    // Nothing has been published; a receipt or the stream will say when something has.
    else if (answer?.status === 404) this.#failures = 0;
    else this.#retryLater();
    this.#fetched();
    if (this.#isStale) this.fetch();
  }

  /** Fetches no more. */
  end(): void {
    this.#retry.clear();
  }

  #take(bytes: Uint8Array): void {
    const { core } = this.#driver;
    this.#failures = 0;
    this.#driver.input(() => core.bundle(bytes), "the collector's bundle");
    this.#revision = core.inspect().bundle_revision;
  }

  #retryLater(): void {
    if (this.#driver.isEnded) return;
    if (this.#failures === 0) {
      const message = 'the bundle cannot be fetched; the one in effect stays, and fetching goes on';
      this.#driver.report('bundle_unreachable', message);
    }
    this.#retry.set(backoffMs(RETRY_BASE_MS, Math.min(this.#failures, MAX_DOUBLINGS)), () => this.fetch());
    this.#failures += 1;
  }
}
