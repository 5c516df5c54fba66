/** The stream from the collector: profiles and bundle revisions, opened with a short-lived token. */

import { decodeBase64 } from '../browser/binary.ts';
import type { Entries } from '../browser/entries.ts';
import { type Answer, post } from '../browser/http.ts';
import { openStream } from '../browser/stream.ts';
import { Timer } from '../browser/timer.ts';
import { textOf } from '../core/reader.ts';
import type { Driving } from './driving.ts';
import { fieldsOf, jsonText, parseJson } from './json.ts';
import { textIn, whole } from './receipt.ts';
import { backoffMs } from './retry.ts';

/** Key of the member token, stored behind the member it is for. */
const TOKEN = 'token';
/** First delay before the stream is opened again; later ones double, this often: up to 32 s. */
const REOPEN_BASE_MS = 500;
const MAX_DOUBLINGS = 6;
/** Time after which a hidden page gives its connection up: browsers allow six per server over HTTP/1.1. */
const HIDDEN_MS = 5_000;

/** `closed`: not wanted, or impossible without a token. `connecting`: a token is asked for, or a pause lies before. */
export type PushState = 'closed' | 'connecting' | 'open';

/** One stream, and what it takes to open it. */
export class Push {
  readonly #driver: Driving;
  readonly #entries: Entries;
  readonly #collector: string;
  readonly #heardOf: (revision: number) => void;
  readonly #pause = new Timer();
  readonly #rest = new Timer();
  #state: PushState = 'closed';
  #closeStream: (() => void) | undefined;
  #memberToken: string | undefined;
  #lastEventId = '';
  #failures = 0;
  /** Answers to questions asked before are of no use after this has changed. */
  #era = 0;

  /** A closed stream, with the member token that an earlier page load stored. Calls back with bundle revisions. */
  constructor(driver: Driving, entries: Entries, collector: string, heardOf: (revision: number) => void) {
    this.#driver = driver;
    this.#entries = entries;
    this.#collector = collector;
    this.#heardOf = heardOf;
    this.#memberToken = this.#tokenIn(entries.get(TOKEN));
  }

  get state(): PushState {
    return this.#state;
  }

  /** Takes the token that another tab of this member has stored, and opens the stream with it. */
  takeToken(stored: string): void {
    const token = this.#tokenIn(stored);
    if (!token) return;
    this.#memberToken = token;
    this.open();
  }

  /** Takes the tokens of a receipt; opens the stream where it is closed. */
  noteTokens(memberToken: string | undefined, streamToken: string | undefined): void {
    if (memberToken !== undefined && memberToken !== this.#memberToken) {
      this.#memberToken = memberToken;
      this.#entries.put(TOKEN, `${this.#driver.member}\n${memberToken}`);
    }
    // A receipt says that the collector answers again, so a pause before the next try is over.
    const isFree = this.#state === 'closed' || (this.#state === 'connecting' && this.#pause.isSet);
    if (streamToken === undefined || !isFree || document.hidden) return;
    this.#pause.clear();
    this.#openWith(streamToken);
  }

  /** Opens the stream where it is closed and a member token is known. */
  open(): void {
    this.#rest.clear();
    if (this.#state === 'closed' && !document.hidden) this.#askToken();
  }

  /** Gives the connection up if the page stays hidden. */
  rest(): void {
    this.#rest.set(HIDDEN_MS, () => {
      if (!document.hidden) return;
      this.close();
      this.#driver.changed();
    });
  }

  /** Closes the stream until it is opened again. */
  close(): void {
    this.#pause.clear();
    this.#rest.clear();
    this.#era += 1;
    this.#enter('closed');
  }

  /** Forgets a member's tokens and stream. */
  forget(): void {
    this.close();
    this.#memberToken = undefined;
    this.#lastEventId = '';
    this.#entries.delete(TOKEN);
  }

  #enter(state: PushState, closeStream?: () => void): void {
    this.#closeStream?.();
    this.#closeStream = closeStream;
    this.#state = state;
  }

  /** The member token in a stored text, if it is this member's. */
  #tokenIn(stored: string | undefined): string | undefined {
    const owner = `${this.#driver.member}\n`;
    return stored?.startsWith(owner) ? stored.slice(owner.length) : undefined;
  }

  async #askToken(): Promise<void> {
    const { member, isEnded } = this.#driver;
    if (this.#memberToken === undefined || isEnded) return this.#enter('closed');
    this.#enter('connecting');
    const era = this.#era;
    const body = jsonText({ anonymous_id: member, member_token: this.#memberToken });
    const answer = await post(this.#driver.url('/v1/stream/token'), body);
    if (this.#era === era) this.#answered(answer);
  }

  #answered(answer: Answer | undefined): void {
    const { status = 0, body } = answer ?? {};
    const token = body && textIn(fieldsOf(parseJson(textOf(body))).token);
    if (status === 200 && token !== undefined) this.#openWith(token);
    else if (status >= 400 && status <= 404) {
      // The member token is no longer good; the next receipt brings one.
      this.forget();
      this.#driver.changed();
    } else this.#reopenLater();
  }

  #openWith(token: string): void {
    if (this.#driver.isEnded) return;
    const resume = this.#lastEventId && `&last_event_id=${this.#lastEventId}`;
    const url = `${this.#collector}/v1/stream?token=${token}${resume}`;
    const close = openStream(
      url,
      ['hello', 'profile', 'bundle'],
      (name, data, id) => this.#heard(name, data, id),
      () => this.#reopenLater(),
    );
    this.#enter(close ? 'open' : 'closed', close);
    this.#driver.changed();
  }

  #heard(name: string, data: string, id: string): void {
    const driver = this.#driver;
    const { core } = driver;
    if (id) this.#lastEventId = id;
    if (name === 'profile') {
      const bytes = decodeBase64(data) ?? new Uint8Array();
      driver.input(() => core.profile(bytes), 'a pushed profile');
      return;
    }
    const body = fieldsOf(parseJson(data));
    if (name === 'bundle') return this.#heardOf(whole(body.revision) ?? 0);
    this.#failures = 0;
    driver.input(() => {
      if (body.state === 'gap') core.gap();
      // The collector answers again: what waits for a retry need not wait longer.
      core.online();
    });
  }

  #reopenLater(): void {
    this.#enter('connecting');
    this.#driver.changed();
    const delay = backoffMs(REOPEN_BASE_MS, Math.min(this.#failures, MAX_DOUBLINGS));
    this.#failures += 1;
    this.#pause.set(delay, () => this.#askToken());
  }
}
