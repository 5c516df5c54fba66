/** Writes the record: what a page that begins now would decide, for the loader of the next one. */

import type { KeyValue } from '../browser/storage.ts';
import type { Filling, Forecast } from '../core/effects.ts';
import { changesOf } from '../driver/decisions.ts';
import { DECISIONS } from '../driver/state.ts';
import { fieldsOf, jsonText } from '../json.ts';
import { uuidV7 } from '../uuid.ts';
import type { Outlook } from './contract.ts';
import { digestAt, type Outcome, readRecord, type Stored, sessionIn, VERSION } from './record.ts';

/** Selectors of a slot that are kept beyond those of its present decision, so that they can be hidden until it is decided. */
const MAX_TARGETS = 20;

/** Keeps what this page, and one of any other session, would decide. */
export function keepRecord(storage: KeyValue, space: string, outlook: Outlook, nowMs: number): void {
  const { member, granted, initial, context, strip, forecast } = outlook;
  const current = sessionIn(storage, space, nowMs);
  const before = fieldsOf(readRecord(storage, space)?.slots);
  const next = new Map(forecast(uuidV7(nowMs)).map((one) => [one[0], one]));
  const slots: Stored['slots'] = {};
  for (const now of forecast(current || uuidV7(nowMs))) {
    const [slot] = now;
    const later = next.get(slot);
    const found = [outcomeOf('', later ?? now, context)];
    if (withoutTime(now) !== withoutTime(later)) found.unshift(outcomeOf(current, now, context));
    // Its elements are hidden on the next page, and it is decided there.
    const outcomes = found.every(([, , , filling]) => mayBeKept(filling, strip)) ? found : [];
    const targets = found.flatMap(([, , , filling]) =>
      changesOf(filling ?? undefined).map((change) => change[1]),
    );
    const { targets: known } = fieldsOf(before[slot]);
    const all = new Set([...targets, ...(Array.isArray(known) ? known : [])]);
    slots[slot] = { targets: [...all].slice(0, MAX_TARGETS), outcomes };
  }
  const stored: Stored = { v: VERSION, member, granted, initial, zone: context.time_zone, slots };
  storage.setItem(space + DECISIONS, JSON.stringify(stored));
}

function outcomeOf(
  session: string,
  [, filling, reads, untilMs]: Forecast,
  context: Outlook['context'],
): Outcome {
  const paths = reads.split('\n').slice(0, -1);
  const digests = paths.map((path) => [path, digestAt(context, path)]);
  return [session, untilMs, Object.fromEntries(digests), filling ?? null];
}

/** Whether a filter leaves what fills a slot as it is: texts may have been made of what it forbids. */
function mayBeKept(filling: Filling | null, strip: Outlook['strip']): boolean {
  const texts: string[] = [];
  JSON.stringify(filling, (name, value) => {
    texts.push(name, typeof value === 'object' ? '' : String(value));
    return value;
  });
  return strip({ texts }) === jsonText({ texts });
}

/** What fills a slot, but for since when: that is the instant at which it was asked. */
function withoutTime(forecast: Forecast | undefined): string {
  const [, filling, reads, untilMs] = forecast ?? [];
  const [rule, key, isLatched, , actions] = filling ?? [];
  return JSON.stringify([reads, untilMs, rule, key, isLatched, actions]);
}
