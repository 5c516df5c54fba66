/** The stream from the collector: profiles and bundle revisions, opened with a short-lived token. */

import { decodeBase64 } from '../browser/binary.ts';
import { post } from '../browser/http.ts';
import { openStream } from '../browser/stream.ts';
import { timer } from '../browser/timer.ts';
import { GAP, ONLINE, PROFILE } from '../core/operations.ts';
import { textOf } from '../core/reader.ts';
import { fieldsOf, jsonText, parseJson } from '../json.ts';
import type { Driving } from './driving.ts';
import { textIn, wholeIn } from './receipt.ts';
import { backoffMs } from './retry.ts';
import type { Tabs } from './tabs.ts';

/** First delay before the stream is opened again; later ones double, this often: up to 32 s. */
const REOPEN_BASE_MS = 500;
const MAX_DOUBLINGS = 6;

/** `closed`: not wanted, or impossible without a token. `connecting`: a token is asked for, or a pause lies before. */
export type PushState = 'closed' | 'connecting' | 'open';

/** One stream, and what it takes to open it. */
export interface Push {
  state(): PushState;
  /** The member and its token, in a line each, as it is stored. */
  token(): string | undefined;
  /** Takes the token that another tab of this member has stored, and opens the stream with it. */
  takeToken(stored: string): void;
  /** Takes the tokens of a receipt; opens the stream where it is closed. */
  noteTokens(memberToken: string | undefined, streamToken: string | undefined): void;
  /** Holds the stream for all pages from now on, whenever a member token is known, until the signal ends that. */
  lead(until: AbortSignal): void;
  /** Opens the stream where it is closed, this page leads and a member token is known. */
  open(): void;
  /** Takes in a profile that the stream has brought, here or in the page that leads. */
  takeProfile(bytes: Uint8Array): void;
  /** Takes in that the stream has opened, here or in the page that leads, and whether it has missed something. */
  takeHello(isGap: boolean): void;
  /** Forgets a member's tokens and stream. */
  forget(): void;
}

/** What the stream is opened with. */
export interface PushOptions {
  /** Where the member token is stored, behind the member it is for. */
  tokenKey: string;
  tabs: Tabs;
  /** Hears of bundle revisions. */
  heardOf(revision: number): void;
}

/** A closed stream, with the member token that an earlier page load stored. */
export function openPush(driver: Driving, { tokenKey, tabs, heardOf }: PushOptions): Push {
  const { core, storage, input, changed, url, isEnded } = driver;
  const pause = timer();
  let leads = false;
  let state: PushState = 'closed';
  let closeStream: (() => void) | undefined;
  let lastEventId = '';
  let failures = 0;
  /** Answers to questions asked before are of no use after this has changed. */
  let era = 0;

  /** The member token in a stored text, if it is this member's. */
  const tokenIn = (stored: string | null | undefined) => {
    const [owner, token] = stored?.split('\n') ?? [];
    return owner === driver.member() ? token : undefined;
  };
  let memberToken = tokenIn(storage.getItem(tokenKey));

  const token = () => (memberToken === undefined ? memberToken : `${driver.member()}\n${memberToken}`);
  const enter = (next: PushState, close?: () => void) => {
    closeStream?.();
    closeStream = close;
    state = next;
    changed();
  };
  const close = () => {
    pause.clear();
    era += 1;
    enter('closed');
  };
  const forget = () => {
    close();
    memberToken = undefined;
    lastEventId = '';
    storage.removeItem(tokenKey);
  };
  const reopenLater = () => {
    enter('connecting');
    pause.set(backoffMs(REOPEN_BASE_MS, failures, MAX_DOUBLINGS), askToken);
    failures += 1;
  };
  const askToken = async () => {
    // Where requests are blocked it opens with the first answer to another one.
    if (memberToken === undefined || isEnded() || driver.isBlocked()) return enter('closed');
    enter('connecting');
    const asked = era;
    const question = jsonText({ anonymous_id: driver.member(), member_token: memberToken });
    // A page that has gone needs no stream.
    const { status = 0, body } = driver.heard(await post(url('/v1/stream/token'), question, false)) ?? {};
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
      tabs.say('profile', driver.member(), bytes);
      return takeProfile(bytes);
    }
    const body = fieldsOf(parseJson(data));
    if (name === 'bundle') {
      const revision = wholeIn(body.revision) ?? 0;
      tabs.say('bundle', revision);
      return heardOf(revision);
    }
    failures = 0;
    const isGap = body.state === 'gap';
    tabs.say('hello', isGap);
    takeHello(isGap);
  };
  const takeProfile = (bytes: Uint8Array) => input(() => core(PROFILE, bytes), 'a pushed profile');
  const takeHello = (isGap: boolean) => {
    input(() => {
      if (isGap) core(GAP);
      // The collector answers again: what waits for a retry need not wait longer.
      core(ONLINE);
    });
  };
  const open = () => {
    if (state === 'closed' && leads) askToken();
  };
  return {
    state: () => state,
    token,
    takeToken(stored) {
      const token = tokenIn(stored);
      if (token === undefined) return;
      memberToken = token;
      open();
    },
    noteTokens(member, stream) {
      if (member !== undefined && member !== memberToken) {
        memberToken = member;
        storage.setItem(tokenKey, token() as string);
      }
      // A receipt says that the collector answers again, so a pause before the next try is over.
      const isFree = state === 'closed' || pause.isSet();
      if (stream === undefined || !isFree || !leads) return;
      pause.clear();
      openWith(stream);
    },
    lead(until) {
      leads = true;
      until.addEventListener('abort', () => {
        leads = false;
        close();
      });
      open();
    },
    open,
    takeProfile,
    takeHello,
    forget,
  };
}
