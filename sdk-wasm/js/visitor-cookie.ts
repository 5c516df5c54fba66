/** The visitor's cookie on the parent domain, by which the hosts below it know a visitor for the same. */

import { cookies, expire } from './browser/cookie.ts';
import type { Entries } from './browser/entries.ts';
import type { KeyValue } from './browser/storage.ts';
import { keysUnder } from './browser/stored-keys.ts';
import { wallMs } from './clock.ts';
import { BLOCKED, ENTRIES, MEMBER, POLICY, SEEN, SESSION, VISITOR_COOKIE } from './driver/state.ts';
import { freshId } from './fresh-id.ts';
import { jsonText } from './json.ts';
import type { SiteSettings } from './options.ts';

/** A sound value: the member, and the second in which the collector has set it. */
const VALUE = /^(([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.(\d{10}))(?:;|$)/;
const DAY_MS = 24 * 3_600_000;
/** Days after which a cookie that is gone may have run out: some browsers keep none for longer than 7. */
const KEPT_DAYS = 6;

/** The cookie of the visitor who is here. */
export interface VisitorCookie {
  /**
   * Becomes whom the cookie names where that is somebody else, or a new visitor where it is gone that has named this one:
   * another host has forgotten them. What is stored of who they were goes, but for what is still to be delivered. Gives
   * the member that they have become; asked only where cookies may be read.
   */
  look(): string | undefined;
  /** Has the collector name a member, unless the cookie does so already and is no older than a day. */
  keep(member: string): void;
}

/** Loads what makes one visitor of the hosts of a domain. */
export type LoadVisitorCookie = () => Promise<{ openVisitorCookie: typeof openVisitorCookie }>;

/** Opens the cookie of a site; `mayStore` says whether there may be one. */
export function openVisitorCookie(
  { visitorCookie, collector, writeKey }: SiteSettings,
  storage: KeyValue,
  entries: Entries,
  mayStore: () => boolean,
): VisitorCookie {
  const space = `attune/${writeKey}/`;
  /** Whom it is to name. */
  let current: string;
  const see = (value: string) => storage.setItem(space + SEEN, value);
  /** The match of a sound value; empty where there is only what is not, nothing where there is none. */
  const read = (): string[] | undefined => {
    const [, text, another] = `; ${cookies()}`.split(`; ${VISITOR_COOKIE}`);
    if (text === undefined) return undefined;
    // Of several nobody can say which one is the collector's.
    return (another === undefined && VALUE.exec(text)) || [];
  };
  const isYoung = (seconds: string | undefined, days: number) =>
    // A clock that has been set may make it come from the future.
    Math.abs(wallMs() - Number(seconds) * 1_000) < days * DAY_MS;
  /** Since when the cookie names a member, if it does. */
  const sinceOf = (member: string) => {
    const [, value = '', named, seconds] = read() ?? [];
    if (named !== member) return undefined;
    see(value);
    return seconds;
  };
  const drop = () => expire(VISITOR_COOKIE, visitorCookie ?? '');
  const ask = async (member: string): Promise<void> => {
    const since = sinceOf(member);
    if (isYoung(since, 1)) return;
    if (!since) drop();
    try {
      // It ends with its page, which has to undo what comes of it where the visitor becomes another one meanwhile.
      const { status } = await fetch(`${collector}/v1/visitor?k=${writeKey}`, {
        method: 'POST',
        body: jsonText({ anonymous_id: member }),
        credentials: 'include',
      });
      if (status === 410) {
        // Erased by way of another host: gone as of now, so that the next page begins anew.
        drop();
        see(`${member}.${wallMs() / 1_000}`);
      }
    } catch {
      // The next page asks again.
    }
    if (!mayStore()) drop();
    else if (current !== member) ask(current);
    else sinceOf(member);
  };
  return {
    look() {
      const own = storage.getItem(space + MEMBER);
      const found = read();
      const [seen, seconds] = storage.getItem(space + SEEN)?.split('.') ?? [];
      const isGone = !found && seen === own && isYoung(seconds, KEPT_DAYS);
      const member = found?.[2] ?? (isGone ? freshId() : own);
      if (!member || own === member) return undefined;
      for (const key of keysUnder(space)) if (key !== POLICY) storage.removeItem(space + key);
      for (const key of [SESSION, ...ENTRIES]) entries.delete(key);
      storage.setItem(space + MEMBER, member);
      entries.put(MEMBER, () => member);
      // Before anything is read.
      entries.flush();
      return member;
    },
    keep(member) {
      // Where requests are blocked, a later page asks.
      if (member === current || storage.getItem(space + BLOCKED)) return;
      current = member;
      ask(member);
    },
  };
}
