/** What the driver tells the public API. None of it may throw. */

import type { Call } from './calls.ts';
import type { Said } from './consent.ts';
import type { JsonObject } from './context.ts';
import type { Decision } from './decision.ts';
import type { AttuneError } from './errors.ts';
import type { Saying } from './words.ts';

/** The public API as the driver sees it. */
export interface Host {
  /**
   * What earlier page loads stored has been taken back: buffered calls may follow, behind those that such pages could
   * not make. Also called later with calls alone; without any where the visitor has been forgotten meanwhile, so that
   * whoever comes is to be admitted.
   */
  started(calls?: Call[]): void;
  /** What judges and counts events is there: those that have waited for it may follow. */
  opened(): void;
  /** Whether another driver has taken over: what comes now comes too late. */
  isOver(): boolean;
  /** How many calls have been given up before a driver could be told of them. */
  lost(): number;
  /** Takes the lanes whose calls the page has stored and left, before they could be made. */
  left(): string[];
  /** The session that was stored last, which a browser that was killed may have forgotten elsewhere, or on which its pages have agreed. */
  resumed(session: unknown, isAgreed?: boolean): void;
  /** Another page has said, at a time, for which purposes the visitor has agreed. */
  consented(said: Said, atMs: number): void;
  /** Another page has begun another visitor. */
  became(member: string): void;
  /** The collector has given a token for a member who is not the visitor any more. */
  proven(member: string, token: string): void;
  /** The visitor is to be forgotten, as another page has where this one hears of it. */
  forgotten(isHeard?: boolean): void;
  /** The first attempt at fetching the bundle has ended. */
  ready(): void;
  /** A slot's decision has changed; nothing where the slot is empty now. */
  decision(slot: string, decision: Decision | undefined): void;
  /** A capped rule has been shown. */
  shown(metadata: JsonObject): void;
  /** The visitor has met a variation; the event's id is derived from what it says. */
  exposed(id: string, metadata: JsonObject): void;
  /** Something went wrong. */
  report(error: AttuneError): void;
  /** The same, in words as soon as those are there. */
  tell(...saying: Saying): void;
  /** Anything a developer panel shows may have changed. */
  changed(): void;
}
