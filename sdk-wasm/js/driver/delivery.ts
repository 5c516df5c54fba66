/** Delivery: what the core wants sent goes out after the task that captured it, and settles by receipt. */

import { sendBeacon } from '../browser/beacon.ts';
import { type Answer, post } from '../browser/http.ts';
import { Timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';
import type { Outcome } from '../core/core.ts';
import { textOf } from '../core/reader.ts';
import { isUuid } from '../uuid.ts';
import type { Driving } from './driving.ts';
import { fieldsOf, parseJson } from './json.ts';
import { type Receipt, readReceipt, textIn, whole } from './receipt.ts';
import { retryAfterMs } from './retry.ts';

/** Sends batches, one body each. */
export class Delivery {
  readonly #driver: Driving;
  readonly #received: (receipt: Receipt, isOfMember: boolean) => void;
  readonly #timer = new Timer();
  readonly #farewells: string[] = [];
  #isRequested = false;
  #isPolling = false;
  /** Status of the last refusal that was reported, so that a repeated one is not. */
  #refusal = 0;

  /** Calls back with every receipt, and whether it is of the member who still sends. */
  constructor(driver: Driving, received: (receipt: Receipt, isOfMember: boolean) => void) {
    this.#driver = driver;
    this.#received = received;
  }

  /** Asks the core after the current task: `track()` never sends, and events of one task leave together. */
  request(): void {
    if (this.#isRequested || this.#driver.isEnded) return;
    this.#isRequested = true;
    queueMicrotask(() => this.#pump());
  }

  /** Sends a body, and asks the core again for more. */
  send(id: number, body: string): void {
    const { member } = this.#driver;
    this.#isPolling = true;
    post(this.#eventsUrl, body).then((answer) => this.#answered(id, member, answer));
  }

  /** Asks the core again at this monotonic time, or when something changes. */
  wait(atMs: number): void {
    if (atMs > 0) this.#timer.set(atMs - performance.now(), () => this.#pump());
    else this.#timer.clear();
  }

  /** Keeps a body for the page's farewell. */
  prepare(body: string): void {
    this.#farewells.push(body);
  }

  /** Hands what is prepared to the browser, which takes 64 KiB at a time; the rest waits in the store. */
  sayFarewell(): void {
    this.#farewells.splice(0).every((body) => sendBeacon(this.#eventsUrl, body));
  }

  /** Asks no more. */
  end(): void {
    this.#timer.clear();
  }

  get #eventsUrl(): string {
    return this.#driver.url('/v1/events');
  }

  #pump(): void {
    this.#isRequested = false;
    if (this.#driver.isEnded) return;
    do {
      this.#isPolling = false;
      this.#driver.core.poll();
    } while (this.#isPolling);
    this.#driver.changed();
  }

  #answered(id: number, member: string, answer: Answer | undefined): void {
    const { core } = this.#driver;
    const receipt = answer?.status === 200 ? readReceipt(jsonIn(answer)) : undefined;
    const outcome = receipt ? settlementOf(receipt) : this.#refusalOf(answer);
    this.#driver.input(() => core.outcome(id, outcome));
    if (receipt) this.#note(receipt, member);
  }

  #refusalOf(answer: Answer | undefined): Outcome {
    if (!answer) return 'no answer';
    const { status, retryAfter } = answer;
    if (status === 200) {
      const message = "the collector's answer is no receipt; is something else at this address?";
      this.#refused(status, 'receipt_invalid', message);
      return 'no answer';
    }
    const fields = fieldsOf(jsonIn(answer));
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      const says = (name: string) => textIn(fields[name]) ?? 'no reason given';
      const message = `the collector refuses events: ${says('code')}: ${says('message')}`;
      this.#refused(status, 'collector_refused', message);
    }
    const places = Array.isArray(fields.offending) ? fields.offending : [];
    const offending = places.flatMap((place) => whole(place) ?? []);
    return { status, retryAfterMs: retryAfterMs(retryAfter, wallMs()), offending };
  }

  #refused(status: number, code: string, message: string): void {
    if (this.#refusal !== status) this.#driver.report(code, message);
    this.#refusal = status;
  }

  #note(receipt: Receipt, member: string): void {
    this.#refusal = 0;
    for (const { event_id, result, code, message } of receipt.rows) {
      if (result === 'retry') continue;
      const text = `event ${event_id}: ${textIn(code) ?? ''}: ${textIn(message) ?? ''}`;
      this.#driver.report(result === 'rejected' ? 'event_rejected' : 'event_warning', text, true);
    }
    // A receipt that comes after a new member has begun speaks of the one before.
    this.#received(receipt, this.#driver.member === member);
  }
}

function jsonIn({ body }: Answer): unknown {
  return parseJson(textOf(body));
}

/** A warning settles its event like no row at all. */
function settlementOf({ accepted, clockShiftMs, rows }: Receipt): Outcome {
  const settling = rows.filter(({ event_id, result }) => result !== 'warning' && isUuid(event_id));
  return {
    accepted,
    clockShiftMs,
    rows: settling.map(({ event_id, result }) => ({ id: event_id, isRetry: result === 'retry' })),
  };
}
