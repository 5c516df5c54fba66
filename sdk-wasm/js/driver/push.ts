/** The stream from the collector: profiles and bundle revisions, opened with a short-lived token. */

import { decodeBase64 } from '../browser/binary.ts';
import type { Entries } from '../browser/entries.ts';
import { post } from '../browser/http.ts';
import { openStream } from '../browser/stream.ts';
import { timer } from '../browser/timer.ts';
import { GAP, ONLINE, PROFILE } from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { fieldsOf, jsonText, parseJson } from '../json.ts';
import type { Driving } from './driving.ts';
import { textIn, wholeIn } from './receipt.ts';
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
export interface Push {
  state(): PushState;
  /** Takes the token that another tab of this member has stored, and opens the stream with it. */
  takeToken(stored: string): void;
  /** Takes the tokens of a receipt; opens the stream where it is closed. */
  noteTokens(memberToken: string | undefined, streamToken: string | undefined): void;
  /** Opens the stream where it is closed and a member token is known. */
  open(): void;
  /** Gives the connection up if the page stays hidden. */
  rest(): void;
  /** Closes the stream until it is opened again. */
  close(): void;
  /** Forgets a member's tokens and stream. */
  forget(): void;
}

/** A closed stream, with the member token that an earlier page load stored. Calls back with bundle revisions. */
export function openPush(driver: Driving, entries: Entries, heardOf: (revision: number) => void): Push {
  const { core, input, changed, url, isEnded } = driver;
  const pause = timer();
  const resting = timer();
  let state: PushState = 'closed';
  let closeStream: (() => void) | undefined;
  let lastEventId = '';
  let failures = 0;
  /** Answers to questions asked before are of no use after this has changed. */
  let era = 0;

  /** The member token in a stored text, if it is this member's. */
  const tokenIn = (stored: string | undefined) => {
    const [owner, token] = stored?.split('\n') ?? [];
    return owner === driver.member() ? token : undefined;
  };
  let memberToken = tokenIn(entries.get(TOKEN));

  const enter = (next: PushState, close?: () => void) => {
    closeStream?.();
    closeStream = close;
    state = next;
    changed();
  };
  const close = () => {
    pause.clear();
    resting.clear();
    era += 1;
    enter('closed');
  };
  const forget = () => {
    close();
    memberToken = undefined;
    lastEventId = '';
    entries.delete(TOKEN);
  };
  const reopenLater = () => {
    enter('connecting');
    pause.set(backoffMs(REOPEN_BASE_MS, failures, MAX_DOUBLINGS), askToken);
    failures += 1;
  };
  const askToken = async () => {
    if (memberToken === undefined || isEnded()) return enter('closed');
    enter('connecting');
    const asked = era;
    const question = jsonText({ anonymous_id: driver.member(), member_token: memberToken });
    const { status = 0, body } = (await post(url('/v1/stream/token'), question)) ?? {};
    if (era !== asked) return;
    const token = body && textIn(fieldsOf(parseJson(textOf(body))).token);
    if (status === 200 && token !== undefined) openWith(token);
    // The member token is no longer good; the next receipt brings one.
    else if (status >= 400 && status <= 404) forget();
    else reopenLater();
  };
  const openWith = (token: string) => {
    if (isEnded()) return;
    const resume = lastEventId && `&last_event_id=${lastEventId}`;
    const address = url('/v1/stream', `token=${token}${resume}`);
    const close = openStream(address, ['hello', 'profile', 'bundle'], heard, reopenLater);
    enter(close ? 'open' : 'closed', close);
  };
  const heard = (name: string, data: string, id: string) => {
    lastEventId = id || lastEventId;
    if (name === 'profile') {
      const bytes = decodeBase64(data) ?? new Uint8Array();
      return input(() => core(PROFILE, bytes), 'a pushed profile');
    }
    const body = fieldsOf(parseJson(data));
    if (name === 'bundle') return heardOf(wholeIn(body.revision) ?? 0);
    failures = 0;
    input(() => {
      if (body.state === 'gap') core(GAP);
      // The collector answers again: what waits for a retry need not wait longer.
      core(ONLINE);
    });
  };
  const open = () => {
    resting.clear();
    if (state === 'closed' && !document.hidden) askToken();
  };
  return {
    state: () => state,
    takeToken(stored) {
      const token = tokenIn(stored);
      if (token === undefined) return;
      memberToken = token;
      open();
    },
    noteTokens(member, stream) {
      if (member !== undefined && member !== memberToken) {
        memberToken = member;
        const text = `${driver.member()}\n${member}`;
        entries.put(TOKEN, () => text);
      }
      // A receipt says that the collector answers again, so a pause before the next try is over.
      const isFree = state === 'closed' || pause.isSet();
      if (stream === undefined || !isFree || document.hidden) return;
      pause.clear();
      openWith(stream);
    },
    open,
    rest: () => resting.set(HIDDEN_MS, () => document.hidden && close()),
    close,
    forget,
  };
}
