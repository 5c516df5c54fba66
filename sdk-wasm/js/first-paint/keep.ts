/** Writes the record: what a page that begins now would decide, for the loader of the next one. */

import type { KeyValue } from '../browser/storage.ts';
import type { JsonObject } from '../context.ts';
import type { Forecast } from '../core/effects.ts';
import { changesOf } from '../driver/decisions.ts';
import { DECISIONS } from '../driver/state.ts';
import { uuidV7 } from '../uuid.ts';
import type { Outlook } from './contract.ts';
import { isEqual, type Outcome, readRecord, type Stored, sessionIn, VERSION, valueAt } from './record.ts';

/** Selectors of a slot that are kept beyond those of its present decision, so that they can be hidden until it is decided. */
const MAX_TARGETS = 20;

/** Keeps what this page, and one of any other session, would decide. */
export function keepRecord(storage: KeyValue, space: string, outlook: Outlook, nowMs: number): void {
  const { member, granted, initial, context, forecast } = outlook;
  const current = sessionIn(storage, space, nowMs);
  const before = readRecord(storage, space)?.slots ?? {};
  const next = new Map(forecast(uuidV7(nowMs)).map((one) => [one[0], one]));
  const slots: Stored['slots'] = {};
  for (const now of forecast(current || uuidV7(nowMs))) {
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
  storage.setItem(space + DECISIONS, JSON.stringify(stored));
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
