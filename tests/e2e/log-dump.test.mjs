/** `attune log dump`: what the log of a collector holds, as lines of JSON. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Collector, WRITE_KEY } from './rig/collector.mjs';

test('the export has an event a line, in order, while the collector runs and after it', async () => {
  const collector = await Collector.start({ signals: [], rules: [] });
  try {
    const event = (id, metadata) =>
      `{"event_id":"${id}","event_type":"x","timestamp":"2026-01-02T03:04:05.006Z","anonymous_id":"m","metadata":${metadata}}`;
    const [first, second] = ['01970000-0000-7000-8000-000000000001', '01970000-0000-7000-8000-000000000002'];
    const body = `{"v":1,"events":[${event(first, '{"a":\n  [1.0,\r\n  "\\u00e9"]}')},${event(second, '{"b":2}')}]}`;
    const answer = await fetch(`${collector.url}/v1/events?k=${WRITE_KEY}`, { method: 'POST', body });
    assert.equal((await answer.json()).accepted, 2);
    const expected = [event(first, '{"a":   [1.0,    "\\u00e9"]}'), event(second, '{"b":2}')].map(JSON.parse);
    const lines = collector.dump();
    assert.deepEqual(lines.map(JSON.parse), expected);
    // Numbers and escapes are as they were sent.
    assert.match(lines[0], /\[1\.0, +"\\u00e9"\]/);
    await collector.stop();
    assert.deepEqual(collector.dump(), lines);
  } finally {
    await collector.remove();
  }
});

test('a folder without a log is named', () => {
  const { status, stderr } = spawnSync(process.env.ATTUNE_BINARY, ['log', 'dump', '--data-dir', '/nowhere']);
  assert.equal(status, 1);
  assert.match(stderr.toString(), /^attune: \/nowhere\/log: /);
});
