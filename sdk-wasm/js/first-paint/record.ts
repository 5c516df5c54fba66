/**
 * The decisions that are stored for the next page: what each slot was to be filled with, for whom, in which session, until
 * when, and under which values of the context.
 */

import type { KeyValue } from '../browser/storage.ts';
import type { Json, JsonObject } from '../context.ts';
import type { Filling, Forecast } from '../core/effects.ts';
import { changesOf } from '../driver/decisions.ts';
import { DECISIONS, SEEN, VISITOR_COOKIE } from '../driver/state.ts';
import { fieldsOf, parseJson } from '../json.ts';
import { sessionAt } from '../session.ts';
import { actionsIn } from './actions.ts';
import type { Outlook, Painted } from './contract.ts';

/** Form of the record; another one is not read. */
const VERSION = 1;
/** Selectors of a slot that are kept beyond those of its present decision, so that they can be hidden until it is decided. */
const MAX_TARGETS = 20;

/** One outcome of a slot. */
type Outcome = [
  /** The session in which it holds; empty for any other than those that are named. */
  session: string,
  untilMs: number,
  reads: Record<string, Json>,
  filling: Filling | null,
];

interface Slot {
  targets: string[];
  outcomes: Outcome[];
}

interface Stored {
  v: number;
  member: string;
  granted: number;
  initial: number;
  zone: Json | undefined;
  slots: Record<string, Slot>;
}

/** What the record says for the page that begins now. */
export interface Recalled {
  painted: Painted[];
  /** Slots that are known to stay empty or to be filled so. */
  known: Set<string>;
  /** Selectors, by slot, of what is not known to stay as it is. */
  open: Map<string, string[]>;
}

/** How a page that begins now is told apart from others. */
export interface Beginning {
  context: JsonObject;
  granted: number;
  /** Whether the site has said what is granted, rather than nothing. */
  isSaid: boolean;
  nowMs: number;
}

/** The record of a site. */
export interface PaintRecord {
  recall(beginning: Beginning): Recalled;
  keep(outlook: Outlook, nowMs: number): void;
}

/** Opens the record below a prefix. */
export function openRecord(storage: KeyValue, space: string): PaintRecord {
  const key = space + DECISIONS;
  const read = () => {
    const stored = fieldsOf(parseJson(storage.getItem(key) ?? '')) as Partial<Stored>;
    const isWhole = stored.v === VERSION && Object.values(fieldsOf(stored.slots)).every(isSlot);
    return isWhole ? (stored as Stored) : undefined;
  };
  /** Whether cookies say nothing against a member: theirs names them, or there is none that has. */
  const isHere = (member = '') => {
    const all = document.cookie;
    return all.includes(VISITOR_COOKIE)
      ? all.includes(VISITOR_COOKIE + member)
      : !storage.getItem(space + SEEN)?.startsWith(member);
  };
  const session = (ms: number) => sessionAt(storage.getItem(`${space}session`), ms) ?? '';
  return {
    recall({ context, granted, isSaid, nowMs }) {
      const stored = read();
      const painted: Painted[] = [];
      const known = new Set<string>();
      const open: Recalled['open'] = new Map();
      const now = session(nowMs);
      const holds =
        stored?.member === storage.getItem(`${space}member`) &&
        isHere(stored.member) &&
        stored?.granted === granted &&
        (isSaid || stored.initial === granted) &&
        stored.zone === context.time_zone;
      for (const [slot, { targets, outcomes }] of Object.entries(stored?.slots ?? {})) {
        const outcome = holds && (outcomes.find(([of]) => of === now && of) ?? outcomes.find(([of]) => !of));
        const [, untilMs = 0, reads = {}, filling] = outcome || [];
        const isSame = Object.entries(reads).every(([path, value]) => isEqual(valueAt(context, path), value));
        const [rule, key, isLatched, sinceMs, actions] = filling ?? [];
        const paintable = actionsIn(actions);
        // What only the core's own page can do is left to it, as a whole.
        const isWhole = !filling || paintable.length === actions?.length;
        if (!outcome || (untilMs && untilMs <= nowMs) || !isSame || !isWhole) {
          open.set(slot, targets);
          continue;
        }
        known.add(slot);
        if (filling) painted.push([slot, [rule ?? '', key, isLatched ?? 0, sinceMs ?? 0, paintable]]);
      }
      return { painted, known, open };
    },
    keep({ member, granted, initial, context, forecast }, nowMs) {
      const current = session(nowMs);
      const before = read()?.slots ?? {};
      const next = new Map(forecast('').map((one) => [one[0], one]));
      const slots: Stored['slots'] = {};
      for (const now of forecast(current)) {
        const [slot] = now;
        const later = next.get(slot);
        const outcomes = [outcomeOf('', later ?? now, context)];
        if (!isEqual(withoutTime(now), withoutTime(later))) outcomes.push(outcomeOf(current, now, context));
        const targets = outcomes.flatMap(([, , , filling]) =>
          changesOf(filling ?? undefined).map((change) => change[1]),
        );
        const known = before[slot]?.targets ?? [];
        slots[slot] = { targets: [...new Set([...targets, ...known])].slice(0, MAX_TARGETS), outcomes };
      }
      const stored: Stored = { v: VERSION, member, granted, initial, zone: context.time_zone, slots };
      storage.setItem(key, JSON.stringify(stored));
    },
  };
}

function isSlot(value: unknown): boolean {
  const { targets, outcomes } = fieldsOf(value);
  return Array.isArray(targets) && Array.isArray(outcomes);
}

function outcomeOf(session: string, [, filling, reads, untilMs]: Forecast, context: JsonObject): Outcome {
  const paths = reads.split('\n').slice(0, -1);
  const values = paths.map((path) => [path, valueAt(context, path) ?? null]);
  return [session, untilMs, Object.fromEntries(values), filling ?? null];
}

/** What fills a slot, but for since when: that is the instant at which it was asked. */
function withoutTime(forecast: Forecast | undefined): unknown {
  const [, filling, reads, untilMs] = forecast ?? [];
  const [rule, key, isLatched, , actions] = filling ?? [];
  return [reads, untilMs, rule, key, isLatched, actions];
}

function valueAt(context: JsonObject, path: string): Json | undefined {
  let found: Json | undefined = context;
  for (const name of path === '' ? [] : path.split('.')) found = fieldsOf(found)[name] as Json | undefined;
  return found;
}

/** Whether two values have the same JSON; a missing one counts as null. */
function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
