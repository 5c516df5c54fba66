/** What a client does behind its first decision: delivers, holds the stream, follows other pages, tries again. */

import type { Turns } from '../browser/turns.ts';
import type { Report } from '../dom/page.ts';
import type { Host } from '../host.ts';
import { type Delivery, openDelivery } from './delivery.ts';
import type { Driving } from './driving.ts';
import { type Keeping, type KeepingOptions, openKeeping } from './keeping.ts';
import { openLastWords } from './last-words.ts';
import { type Leading, openLeading } from './leading.ts';
import { type Others, type OthersOptions, openOthers } from './others.ts';
import { problemReport } from './problem.ts';
import { openPush, type Push } from './push.ts';
import { openReserve, type Reserve } from './reserve.ts';
import { openRetries, type Retries } from './retries.ts';
import { openSaying } from './saying.ts';
import { BLOCKED } from './state.ts';
import type { Cut, Tail } from './tail.ts';

/** What is needed of the page. */
export interface BackgroundOptions extends Omit<OthersOptions, 'driving' | 'leading' | 'push'> {
  host: Host;
  /** The prefix of the site's names. */
  space: string;
  /** Where the member token is stored. */
  tokenKey: string;
  tail: Tail;
  /** What the page does at its turns. */
  turns: Turns;
  /** What is kept for the next page is made of. */
  outlook: Pick<KeepingOptions, 'visit' | 'forecast'>;
  /** Fetches the bundle after a delay. */
  fetchLater(delayMs: number): void;
  /** What waits to be delivered, in bodies that fit. */
  cut(): Cut[];
}

/** Everything that runs behind the first decision. */
export interface Background {
  delivery: Delivery;
  push: Push;
  others: Others;
  leading: Leading;
  reserve: Reserve;
  retries: Retries;
  keeping: Keeping;
  /** Reports that a change is left out. */
  problem: Report;
  /** There may be more to deliver, and to keep. */
  changed(): void;
  /** The page is back out of the browser's cache: takes in what has been said without it. */
  restored(): void;
  /** The visitor is forgotten, with all that waits to be sent. */
  forget(): void;
  /** The page hides or leaves: what has begun is brought to its end now. Gives what is on its way and ends with the page. */
  leave(leaves: boolean): Cut[];
  /** Requests are blocked: tells the page, those that are open and those to come. */
  blocked(): void;
  /** Runs no more. */
  end(): void;
}

/** Nothing has been delivered, heard or tried again yet. */
export function openBackground(driving: Driving, options: BackgroundOptions): Background {
  const { space, tokenKey, tabs, tail, cut, outlook, heardOf } = options;
  const leading = openLeading(space, (...led) => void others.lead(...led));
  const push = openPush(driving, { tokenKey, tabs, heardOf });
  const others = openOthers({ ...options, driving, leading, push });
  const saying = openSaying(driving, { ...options, others });
  const delivery = openDelivery(driving, {
    received({ memberToken, streamToken, bundleRevision }, member) {
      if (member === driving.member()) push.noteTokens(memberToken, streamToken);
      else if (memberToken) options.host.proven(member, memberToken);
      heardOf(bundleRevision);
    },
    told: (...news) => tabs.say('news', news),
  });
  const reserve = openReserve(() => driving.url('/v1/events'), tail, cut);
  const retries = openRetries(driving, options.fetchLater, push.open);
  const keeping = openKeeping({ ...outlook, storage: driving.storage, space });
  const lastWords = openLastWords(options.turns);
  const ended = new AbortController();
  const heard = ({ key, newValue }: StorageEvent) => {
    if (key === tokenKey && newValue) push.takeToken(newValue);
  };
  addEventListener('storage', heard, { signal: ended.signal });
  return {
    delivery,
    push,
    others,
    leading,
    reserve,
    retries,
    keeping,
    problem: problemReport(options.host.report),
    changed() {
      delivery.request();
      reserve.changed();
      keeping.changed();
      lastWords.changed();
    },
    restored() {
      lastWords.stays();
      saying.restored();
    },
    forget() {
      reserve.rest();
      delivery.forget();
    },
    leave(leaves) {
      lastWords.went(leaves);
      keeping.leave();
      delivery.hurry();
      reserve.rest();
      return leaves ? delivery.exposed() : [];
    },
    blocked() {
      driving.storage.setItem(space + BLOCKED, '1');
      tabs.say('news', [3]);
      options.host.tell('collector_blocked', driving.url('/v1/events'));
    },
    end() {
      ended.abort();
      delivery.end();
      reserve.rest();
      keeping.end();
    },
  };
}
