/** What goes to the collector and what comes back: batches, receipts, refusals. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const { eventBytes, writeBatch, writeEvent } = await load('driver/batch.ts');
const { readReceipt } = await load('driver/receipt.ts');
const { jsonText } = await load('json.ts');
const { refusalText } = await load('words.ts');
const { backoffMs, retryAfterMs } = await load('driver/retry.ts');

const lane = (number) => `00000000-0000-0000-0000-00000000000${number}`;
const EVENT = {
  id: lane(7),
  type: 'page_view',
  ms: Date.UTC(2025, 10, 20, 10, 0, 1, 3),
  member: 'm1',
  lane: lane(1),
  seq: 41,
  user: undefined,
  session: lane(3),
  metadata: '{"quantity":2}',
};
const SENT_AT = Date.UTC(2025, 10, 20, 10, 0, 2, 120);

/** A request of m1 in lane 1. */
function request({ withContext = 1, declarations = [], dropped = [0, 0, 0] } = {}) {
  return [1, 'm1', lane(1), withContext, [], declarations, ...dropped];
}

it('writes a batch as the protocol describes it', () => {
  const full = request({
    declarations: [
      [1, 'm2', lane(2), 1, 31],
      [0, 'm1', lane(1), 7, 9],
    ],
    dropped: [3, 0, 0],
  });
  assert.equal(
    writeBatch(full, [EVENT], '{"locale":"de"}', SENT_AT),
    [
      '{"v":1,"sent_at":"2025-11-20T10:00:02.120Z","anonymous_id":"m1",',
      '"lane":"00000000-0000-0000-0000-000000000001",',
      '"void":[{"lane":"00000000-0000-0000-0000-000000000001","from":7,"to":9}],',
      '"closed":[{"lane":"00000000-0000-0000-0000-000000000002","anonymous_id":"m2","count":31}],',
      '"context":{"clock_skew_ms":null,"locale":"de"},',
      '"events":[{"event_id":"00000000-0000-0000-0000-000000000007","event_type":"page_view",',
      '"timestamp":"2025-11-20T10:00:01.003Z","seq":41,',
      '"session_id":"00000000-0000-0000-0000-000000000003","metadata":{"quantity":2}}],',
      '"dropped":{"queue_full":3}}',
    ].join(''),
  );
});

it('leaves a context out that would crowd events out, and an empty one', () => {
  const bare = '"context":{"clock_skew_ms":null},"events":[]}';
  assert.ok(writeBatch(request({ withContext: 0 }), [], '{"a":1}', SENT_AT).endsWith(bare));
  assert.ok(writeBatch(request(), [], '{}', SENT_AT).endsWith(bare));
});

it('names member, lane and user of an adopted event beside it', () => {
  const adopted = { ...EVENT, member: 'm0', lane: lane(9), user: 'user-1', metadata: undefined };
  const [event] = JSON.parse(writeBatch(request(), [adopted], '{}', SENT_AT)).events;
  assert.deepEqual(
    [event.anonymous_id, event.lane, event.seq, event.user_id, 'metadata' in event],
    ['m0', lane(9), 41, 'user-1', false],
  );
});

it('never writes an event longer than it was measured', () => {
  for (const texts of [{}, { type: '"\u0001ü"', member: 'm"'.repeat(50), user: '日本'.repeat(50) }]) {
    const event = { ...EVENT, ...texts, seq: Number.MAX_SAFE_INTEGER };
    const metadata = Buffer.byteLength(event.metadata);
    const written = Buffer.byteLength(`${writeEvent(event)},`);
    assert.ok(written <= eventBytes(event) + metadata, JSON.stringify(event));
    assert.ok(written >= eventBytes(event) + metadata - 50, JSON.stringify(event));
  }
});

it('turns half a surrogate pair into the replacement character and leaves all else as it is', () => {
  for (const [value, text] of [
    ['\ud83d', '"\ufffd"'],
    ['😀\udc00', '"😀\ufffd"'],
    ['\\ud800 "quoted" \n\u0001', '"\\\\ud800 \\"quoted\\" \\n\\u0001"'],
    [{ '\ud800': ['\ud800'] }, '{"\ufffd":["\ufffd"]}'],
  ]) {
    assert.equal(jsonText(value), text);
  }
});

it('reads a receipt with its tokens and rows', () => {
  const row = {
    index: 7,
    event_id: 'order "7"',
    result: 'rejected',
    code: 'metadata_too_large',
    message: 'm',
  };
  const body = {
    accepted: 98,
    duplicates: 1,
    results: [row],
    clock_shift_ms: -61_000.5,
    bundle_revision: 12,
    member_token: 'm',
    stream: { token: 's', expires: '2026-11-20T11:00:02.120Z' },
  };
  assert.deepEqual(readReceipt(body), {
    accepted: 98,
    rows: [row],
    clockShiftMs: -61_000,
    bundleRevision: 12,
    memberToken: 'm',
    streamToken: 's',
  });
  assert.deepEqual(readReceipt({ accepted: 0, results: null }).rows, []);
});

it('takes nothing else for a receipt', () => {
  for (const body of [
    undefined,
    null,
    'text',
    {},
    [1],
    { accepted: '1' },
    { accepted: -1 },
    { accepted: 1, results: 7 },
    { accepted: 1, results: [null] },
    { accepted: 1, results: [{ event_id: 'x', result: 'perhaps' }] },
    { accepted: 1, results: [{ result: 'retry' }] },
  ]) {
    assert.equal(readReceipt(body), undefined, JSON.stringify(body));
  }
});

it('says why an event was refused as the collector would', () => {
  for (const [code, actual, limit, text] of [
    ['metadata_too_large', 40_112, 31_744, 'metadata is 40,112 bytes; the limit is 31,744'],
    ['event_type_too_long', 1_000_001, 100, 'event_type is 1,000,001 characters; the limit is 100'],
    ['user_id_too_long', 101, 100, 'user_id is 101 characters; the limit is 100'],
    ['event_type_missing', 0, 100, 'event_type is empty'],
    ['anonymous_id_invalid', 0, 100, 'anonymous_id is empty'],
    ['metadata_not_an_object', 0, 0, 'metadata is not a JSON object'],
  ]) {
    assert.equal(refusalText(code, actual, limit), text);
  }
});

it('reads Retry-After as seconds and as a date', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfterMs(' 120 ', now), 120_000);
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now), 5_000);
  assert.equal(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  assert.equal(retryAfterMs('soon', now), undefined);
  assert.equal(retryAfterMs(null, now), undefined);
});

it('doubles a delay up to its limit, spread around it', () => {
  for (const [failures, base] of [
    [0, 500],
    [3, 4_000],
    [6, 32_000],
    [60, 32_000],
  ]) {
    const delay = backoffMs(500, failures, 6);
    assert.ok(delay >= base / 2 && delay < base * 1.5, `${failures}: ${delay}`);
  }
});
