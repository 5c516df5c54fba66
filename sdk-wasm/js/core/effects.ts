/** What the core wants done, in the order of its output. */

import type { Json } from '../context.ts';
import type { Action } from './action.ts';
import { readerOf } from './reader.ts';

/** What fills a slot now. */
export type Filling = [
  rule: string,
  key: string | undefined,
  isLatched: number,
  sinceMs: number,
  actions: Action[],
];

/** What would fill a slot of a page load that begins now. */
export type Forecast = [
  slot: string,
  filling: Filling | undefined,
  /** The paths below `context` that were read to find it, each in a line, some several times. */
  reads: string,
  /** The first instant at which time alone may change it; 0: never. */
  untilMs: number,
];

/** Numbers of a lane that were given up or, where it has ended, all that it gave out; both bounds are inclusive. */
export type Declaration = [hasEnded: number, member: string, lane: string, from: number, to: number];

/** A batch that is to be written and sent; the id is 0 where the page leaves and no answer is waited for. */
export type Request = [
  id: number,
  member: string,
  lane: string,
  withContext: number,
  events: [lane: string, seq: number][],
  declarations: Declaration[],
  queueFull: number,
  expired: number,
  rejected: number,
];

/** How signals and delivery stand. */
export type CoreInspection = [
  signals: [name: string, isByKey: number, keys: string[]][],
  events: number,
  bytes: number,
  inFlight: number,
  failures: number,
  isBreakerOpen: number,
  bundleRevision: number,
];

/**
 * What carries effects out, as the interface numbers them, from 1. None of it may call the core: the rest of the output
 * has not been read yet.
 */
export type Effects = [
  kept: (seq: number) => void,
  settled: (lane: string, seq: number) => void,
  forgotten: (lane: string, seq: number) => void,
  put: (entry: number, bytes: Uint8Array) => void,
  deleted: (entry: number) => void,
  laneForgotten: (lane: string) => void,
  decision: (slot: string, filling: Filling | undefined) => void,
  shown: (rule: string, key: string) => void,
  sender: (member: string, lane: string) => void,
  refused: (code: string, actual: number, limit: number) => void,
  request: (...request: Request) => void,
  wait: (atMs: number) => void,
  wake: (atMs: number) => void,
  answer: (value: Json) => void,
  failed: (code: string) => void,
  unreadable: (entry: number) => void,
  inspection: (...inspection: CoreInspection) => void,
  exposed: (eventId: string, experiment: string, variation: string, bucketVersion: number) => void,
  match?: ((question: string) => void) | undefined,
  expired?: () => void,
  blocked?: (reachability: number) => void,
  forecast?: (...forecast: Forecast) => void,
  policy?: (policy: Uint8Array) => void,
  revision?: (bundle: number) => void,
  probe?: () => void,
  turn?: () => void,
];

/** A slot, and what fills it. */
const FILLED = 't?(t?tbf*a)';
/** The forms of their fields. */
const FORMS = [
  'n',
  'un',
  'un',
  'by',
  'b',
  'u',
  FILLED,
  'tt',
  'tu',
  'tnn',
  'ntub*(un)*(btunn)nnn',
  'f',
  'f',
  'v',
  't',
  'b',
  '*(tb*t)nnnnbn',
  'uttn',
  't',
  '',
  'b',
  `${FILLED}tf`,
  'y',
  'n',
  '',
  '',
];

/** Carries out one output. */
export function carryOut(output: Uint8Array, effects: Effects): void {
  const read = readerOf(output);
  for (let next = read('b'); next; next = read('b')) {
    const place = Number(next[0]) - 1;
    const fields = read(FORMS[place] ?? '') ?? [];
    (effects[place] as (...fields: unknown[]) => void)(...fields);
  }
}
