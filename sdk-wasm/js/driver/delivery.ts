/** Delivery: what the core wants sent goes out after the task that captured it, and settles by receipt. */

import { pack } from '../browser/gzip.ts';
import type { Answer } from '../browser/http.ts';
import { insist } from '../browser/insist.ts';
import { timer } from '../browser/timer.ts';
import { wallMs } from '../clock.ts';
import { POLL, RECEIVED, TURNED_DOWN, UNANSWERED } from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { fieldsOf, parseJson } from '../json.ts';
import { isUuid } from '../uuid.ts';
import type { Driving } from './driving.ts';
import { type Receipt, readReceipt, textIn, wholeIn } from './receipt.ts';
import { retryAfterMs } from './retry.ts';
import type { NewsMessage } from './tabs.ts';
import type { Cut } from './tail.ts';

/** How long after a request has failed that counts, if the page is still there. */
const SILENCE_MS = 100;

/** Sends batches, one body each. */
export interface Delivery {
  /** Asks the core after the current task: `track()` never sends, and events of one task leave together. */
  request(): void;
  /** Sends a body; the core has more to say. */
  send(id: number, cut: Cut): void;
  /** Sends at once what is being compressed: the page leaves. The same request goes on where the page stays. */
  hurry(): void;
  /** The body whose request ends with the page, where there is one. */
  exposed(): Cut[];
  /** Sends nothing that is being compressed, and nothing again. */
  forget(): void;
  /** Asks the core again at this monotonic time; at 0, when something changes. */
  wait(atMs: number): void;
  /** Asks no more. */
  end(): void;
}

/** Who hears how requests have ended. */
export interface Hearers {
  /** Hears every receipt, and of whom it speaks. */
  received(receipt: Receipt, member: string): void;
  /** Hears what the other pages are to know of the collector. */
  told(...news: NewsMessage): void;
}

/** Nothing is on its way. */
export function openDelivery(driver: Driving, { received, told }: Hearers): Delivery {
  const { core, input, report, isEnded } = driver;
  const due = timer();
  let isRequested = false;
  let hasMore = false;
  /** What sends bodies that are being compressed, as they are unless told otherwise; out of here, they are not sent. */
  const packing = new Set<(body?: Uint8Array<ArrayBuffer>, outlives?: boolean) => void>();
  let exposed: Cut[] = [];
  /** How often everything has been forgotten. */
  let visits = 0;
  /** Status of the last refusal that was reported, so that a repeated one is not. */
  let refusal = 0;

  const pump = () => {
    isRequested = false;
    // Offline nothing is to be probed; the browser says when that is over.
    if (isEnded() || (driver.isBlocked() && navigator.onLine === false)) return;
    do {
      hasMore = false;
      driver.carryOut(() => core(POLL));
    } while (hasMore);
  };
  const request = (cut: Cut) =>
    new Promise<Answer | undefined>((answered) => {
      const visit = visits;
      const expose = () => visit === visits && exposed.push(cut) > 0;
      const plain = new TextEncoder().encode(cut.text(cut.rows, wallMs()));
      // Where requests are blocked, each is to be one.
      const leave = (body = plain, outlives = driver.isBlocked() ? false : undefined) => {
        if (packing.delete(leave)) answered(insist(driver.url('/v1/events'), body, outlives, expose));
      };
      packing.add(leave);
      // A page that nobody sees may not last until it is compressed.
      if (document.hidden) leave();
      else pack(plain).then((body) => leave(body));
    });
  const refuse = (status: number, code: string, message: string) => {
    // A wrong key, origin or address is the site's own mistake, also where something else answers there.
    if (refusal !== status) report(code, message, [200, 401, 403, 404, 405].includes(status));
    refusal = status;
  };
  const take = (id: number, receipt: Receipt, member: string) => {
    // A warning settles its event like no row at all.
    const settling = receipt.rows.filter((row) => row.result !== 'warning' && isUuid(row.event_id));
    const rows = settling.map((row): [string, number] => [row.event_id, row.result === 'retry' ? 2 : 1]);
    told(2);
    input(() => core(RECEIVED, id, receipt.accepted, receipt.clockShiftMs, rows));
    refusal = 0;
    for (const { event_id, result, code, message } of receipt.rows) {
      if (result === 'retry') continue;
      const text = `event ${event_id}: ${textIn(code) ?? ''}: ${textIn(message) ?? ''}`;
      report(result === 'warning' ? 'event_warning' : 'event_rejected', text, true);
    }
    // One that comes after a new member has begun speaks of the one before.
    received(receipt, member);
  };
  const turnDown = (id: number, { status, retryAfter }: Answer, body: unknown) => {
    const { code, message, offending } = fieldsOf(body);
    if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      const said = [status, textIn(code), textIn(message)].filter(Boolean).join(': ');
      refuse(status, 'collector_refused', `${driver.url('/v1/events')} refuses events: ${said}`);
    }
    const places = (Array.isArray(offending) ? offending : []).flatMap((place) => wholeIn(place) ?? []);
    const afterMs = retryAfterMs(retryAfter, wallMs());
    told(1, status, afterMs);
    input(() => core(TURNED_DOWN, id, status, afterMs, places));
  };
  return {
    request() {
      if (!isRequested) queueMicrotask(pump);
      isRequested = true;
    },
    async send(id, cut) {
      hasMore = true;
      const member = driver.member();
      // What cannot leave is no request; the browser says when it is online again.
      const isOnline = navigator.onLine !== false;
      const answer = isOnline ? await request(cut) : undefined;
      exposed = [];
      const body = answer && parseJson(textOf(answer.body));
      const receipt = readReceipt(body);
      if (answer && answer.status !== 200) return turnDown(id, answer, body);
      if (receipt) return take(id, receipt, member);
      const message = `${driver.url('/v1/events')} answers with what is no receipt: is this a collector?`;
      if (answer) refuse(200, 'receipt_invalid', message);
      else if (isOnline) {
        // Chromium fails the requests of a page that goes just before it is told, and goes on with them: were they to count as
        // unanswered, the tail would bring the same events once more.
        await new Promise((done) => setTimeout(done, SILENCE_MS));
        told(0);
      }
      input(() => core(UNANSWERED, id, isOnline ? 0 : 3));
    },
    hurry() {
      for (const leave of packing) leave(undefined, true);
    },
    exposed: () => exposed,
    forget() {
      packing.clear();
      exposed = [];
      visits += 1;
    },
    wait(atMs) {
      if (atMs) due.set(atMs - performance.now(), pump);
      else due.clear();
    },
    end: due.clear,
  };
}
