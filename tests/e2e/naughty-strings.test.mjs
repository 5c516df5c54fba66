/** Strings that break software, on their whole way: page, disk, another page, collector, log, export. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { killBrowser, openPage, openProfile } from './rig/browser.mjs';
import { Collector, WRITE_KEY } from './rig/collector.mjs';
import { eventually } from './rig/eventually.mjs';
import { packagePage, serveSite } from './rig/site.mjs';

const list = join(import.meta.dirname, '../../../shared/suites/naughty/blns.json');
const skip = existsSync(list) ? false : `${list} is not on this machine`;
/** What the list has none of: halves of surrogate pairs. */
const HALVES = ['\ud800', 'a\udc00b', '\udbff\ud83d\ude00\udc00', '{"\udfff":1}'];
const MAX_TYPE_CHARS = 100;
const MAX_USER_CHARS = 100;
/** Time in which what is tracked has reached the disk, on a machine that does much else. */
const STORED_MS = 1_000;
const ARRIVAL_MS = 60_000;

describe('naughty strings', { skip }, () => {
  const strings = skip ? [] : [...JSON.parse(readFileSync(list, 'utf8')), ...HALVES];
  const isType = (text) => text !== '' && [...text].length <= MAX_TYPE_CHARS && !text.startsWith('attune.');
  const isUser = (text) => text !== '' && text.length <= MAX_USER_CHARS;
  const types = strings.filter(isType);
  const users = strings.filter(isUser);
  let collector;
  let site;
  let lines;

  before(async () => {
    collector = await Collector.start({ signals: [], rules: [] });
    site = await serveSite({ '/': packagePage(collector.url, WRITE_KEY) });
    const folder = mkdtempSync(join(tmpdir(), 'attune-naughty-'));
    let context = await openProfile(folder);
    try {
      const page = await openPage(context, site.url);
      await collector.stop();
      assert.deepEqual(await page.evaluate(trackAll, { strings, types, users }), []);
      await page.waitForTimeout(STORED_MS);
      await killBrowser(context);
      await collector.start();
      context = await openProfile(folder);
      await openPage(context, site.url);
      const count = strings.length + types.length + users.length;
      const arrived = () => collector.dump().length;
      assert.equal(await eventually(arrived, (found) => found >= count, ARRIVAL_MS), count);
      lines = collector.dump();
    } finally {
      await context.close().catch(() => {});
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  });
  after(async () => {
    await site?.close();
    await collector?.remove();
  });

  /** The lines of one kind in order of their number; each line once. */
  const linesOf = (kind) => {
    const found = lines.filter((line) => line.includes(`"kind":"${kind}","n":`));
    const numberOf = (line) => Number(new RegExp(`"kind":"${kind}","n":(\\d+)`).exec(line)[1]);
    return found.sort((a, b) => numberOf(a) - numberOf(b));
  };
  /** Halves of surrogate pairs become U+FFFD, as they do wherever a text turns into UTF-8. */
  const whole = (text) => text.toWellFormed?.() ?? Buffer.from(text, 'utf8').toString('utf8');
  const tell = (t, what, found, expected) => {
    const same = expected.filter((text, place) => text === found[place]);
    t.diagnostic(`${what}: ${same.length} of ${expected.length} arrived as they were`);
  };

  it('are 515 and those with halves of surrogate pairs', (t) => {
    const sent = { values: strings.length, types: types.length, users: users.length };
    t.diagnostic(
      `${strings.length - HALVES.length} strings and ${HALVES.length} with halves of surrogate pairs`,
    );
    t.diagnostic(`tracked as ${JSON.stringify(sent)}; the log has ${lines.length} events`);
    assert.equal(strings.length, 515 + HALVES.length);
  });

  it('arrive byte by byte as values and as names of metadata', (t) => {
    const expected = strings.map((text, n) => {
      const clean = whole(text);
      return `"metadata":${JSON.stringify({ kind: 'text', n, text: clean, list: [clean], named: { [clean]: n } })}`;
    });
    // Behind the metadata stands what the collector has found out about the browser.
    const found = linesOf('text').map((line) =>
      line.slice(line.indexOf('"metadata":'), line.lastIndexOf(',"context":')),
    );
    tell(t, 'values and names of metadata, byte by byte', found, expected);
    assert.deepEqual(found, expected);
  });

  it('arrive as event types', (t) => {
    const found = linesOf('type').map((line) => JSON.parse(line).event_type);
    tell(t, 'event types', found, types.map(whole));
    assert.deepEqual(found, types.map(whole));
  });

  it('arrive as ids of users', (t) => {
    const found = linesOf('user').map((line) => JSON.parse(line).user_id);
    tell(t, 'ids of users', found, users.map(whole));
    assert.deepEqual(found, users.map(whole));
  });
});

/** Runs in the page; returns the errors that were reported. */
function trackAll({ strings, types, users }) {
  const errors = [];
  const end = window.attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
  strings.forEach((text, n) => {
    window.attune.track('naughty', { kind: 'text', n, text, list: [text], named: { [text]: n } });
  });
  types.forEach((type, n) => {
    window.attune.track(type, { kind: 'type', n });
  });
  users.forEach((user, n) => {
    window.attune.identify(user, { kind: 'user', n });
  });
  end();
  return errors;
}
