/**
 * The decisions that are stored for the next page: what each slot was to be filled with, for whom, in which session, until
 * when, and under which values of the context.
 */

import type { KeyValue } from '../browser/storage.ts';
import type { Json, JsonObject } from '../context.ts';
import type { Filling } from '../core/effects.ts';
import { DECISIONS, SEEN, VISITOR_COOKIE } from '../driver/state.ts';
import { hashOf } from '../hash.ts';
import { fieldsOf, parseJson } from '../json.ts';
import { sessionAt } from '../session-state.ts';
import { actionsIn } from './actions.ts';
import type { Painted } from './contract.ts';

/** Form of the record; another one is not read. */
export const VERSION = 2;

/** One outcome of a slot. */
export type Outcome = [
  /** The session in which it holds; empty for any other than those that are named. */
  session: string,
  untilMs: number,
  /** Digests of the values that were read, by their paths below `context`: the values may be what nobody may store. */
  reads: Record<string, number>,
  filling: Filling | null,
];

export interface Slot {
  targets: string[];
  outcomes: Outcome[];
}

export interface Stored {
  v: number;
  member: string;
  granted: number;
  initial: number;
  zone: Json | undefined;
  slots: Record<string, Slot>;
}

/** What the record says for the page that begins now. */
export type Recalled = [
  painted: Painted[],
  /** By slot: selectors of what is not known to stay as it is; none where it is known to stay empty or to be filled so. */
  open: Map<string, string[]>,
];

/** How a page that begins now is told apart from others. */
export interface Beginning {
  context: JsonObject;
  granted: number;
  /** Whether the site has said what is granted, rather than nothing. */
  isSaid: boolean;
  nowMs: number;
}

/** What is stored below a prefix; nothing where it has no record's form. Its fields may be anything: nobody checks them. */
export function readRecord(storage: KeyValue, space: string): Stored | undefined {
  const stored = parseJson(storage.getItem(space + DECISIONS)) as Stored | null | undefined;
  return stored?.v === VERSION ? stored : undefined;
}

/** The session that goes on at an instant; empty where none does. */
export function sessionIn(storage: KeyValue, space: string, ms: number): string {
  return sessionAt(storage.getItem(`${space}session`), ms) ?? '';
}

/** Whether cookies say nothing against a member: theirs names them, or there is none that has. */
function isHere(storage: KeyValue, space: string, member = ''): boolean {
  const all = document.cookie;
  return all.includes(VISITOR_COOKIE)
    ? all.includes(VISITOR_COOKIE + member)
    : !storage.getItem(space + SEEN)?.startsWith(member);
}

/** What the record below a prefix says for a page that begins. Throws where somebody else has written what is there. */
export function recall(storage: KeyValue, space: string, beginning: Beginning): Recalled {
  const { context, granted, isSaid, nowMs } = beginning;
  const stored = readRecord(storage, space);
  const painted: Painted[] = [];
  const open: Recalled[1] = new Map();
  const now = sessionIn(storage, space, nowMs);
  const holds =
    stored?.member === storage.getItem(`${space}member`) &&
    isHere(storage, space, stored.member) &&
    stored?.granted === granted &&
    (isSaid || stored.initial === granted) &&
    stored.zone === context.time_zone;
  for (const [slot, { targets, outcomes }] of Object.entries(stored?.slots ?? {})) {
    const outcome = holds && outcomes.find(([of]) => !of || of === now);
    const [, untilMs = 0, reads = {}, filling] = outcome || [];
    const isSame = Object.entries(reads).every(([path, digest]) => digestAt(context, path) === digest);
    const actions = filling?.pop();
    const paintable = actionsIn(actions);
    // What is to happen once, such as a redirect, is left to the core, as a whole.
    const isWhole = !filling || paintable.length === fieldsOf(actions).length;
    const isKnown = outcome && !(untilMs && untilMs <= nowMs) && isSame && isWhole;
    open.set(slot, isKnown ? [] : [...targets]);
    if (isKnown && filling) painted.push([slot, [...filling, paintable] as unknown as Filling]);
  }
  return [painted, open];
}

/** A digest of the JSON of the value at a path; a missing one counts as null. */
export function digestAt(context: JsonObject, path: string): number {
  let found: unknown = context;
  for (const name of path ? path.split('.') : '') found = fieldsOf(found)[name];
  return hashOf(JSON.stringify(found ?? null));
}
