/** The collector's per-event answer to a batch. */

import { fieldsOf } from '../json.ts';

/** An answer to a batch; only rows that are not plainly accepted are listed. */
export interface Receipt {
  accepted: number;
  rows: ReceiptRow[];
  /** By how much the collector shifted this batch's timestamps. */
  clockShiftMs: number;
  /** The bundle revision now in effect. */
  bundleRevision: number;
  memberToken: string | undefined;
  streamToken: string | undefined;
}

/** One event that was not plainly accepted. */
export interface ReceiptRow {
  event_id: string;
  result: 'rejected' | 'retry' | 'warning';
  code?: unknown;
  message?: unknown;
}

/** Reads a receipt out of JSON; nothing where it is none, or has a row of an unknown kind. */
export function readReceipt(body: unknown): Receipt | undefined {
  const { accepted, results, clock_shift_ms, bundle_revision, member_token, stream } = fieldsOf(body);
  const count = wholeIn(accepted);
  const rows = results ?? [];
  if (count === undefined || !Array.isArray(rows) || !rows.every(isRow)) return undefined;
  return {
    accepted: count,
    rows,
    clockShiftMs: typeof clock_shift_ms === 'number' ? Math.trunc(clock_shift_ms) : 0,
    bundleRevision: wholeIn(bundle_revision) ?? 0,
    memberToken: textIn(member_token),
    streamToken: textIn(fieldsOf(stream).token),
  };
}

/** A number of JSON as a count; nothing where it is none. */
export function wholeIn(value: unknown): number | undefined {
  const isCount = typeof value === 'number' && value >= 0;
  return isCount ? Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER) : undefined;
}

/** A text of JSON; nothing where it is none. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRow(row: unknown): row is ReceiptRow {
  const { event_id, result } = fieldsOf(row);
  return typeof event_id === 'string' && ['rejected', 'retry', 'warning'].includes(result as string);
}
