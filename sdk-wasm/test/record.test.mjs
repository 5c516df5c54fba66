/** What is stored for the next page's loader, over a storage that is a map. */

import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';

const SPACE = 'attune/demo/';
const NOW_MS = Date.UTC(2026, 10, 20, 10);
const SESSION = '0197f7a0-0000-7000-8000-000000000001';
const CONTEXT = { page: { path: '/', search: '' }, device: { class: 'phone' }, time_zone: 'Europe/Rome' };
const filling = (value) => ['rule', undefined, 0, NOW_MS, [['text', '#hero', value]]];

describe('the record of decisions', () => {
  let recallFrom;
  let keepRecord;
  let values;
  let storage;
  before(async () => {
    ({ recall: recallFrom } = await load('first-paint/record.ts'));
    ({ keepRecord } = await load('first-paint/keep.ts'));
  });
  beforeEach(() => {
    globalThis.document = { cookie: '' };
    values = new Map([
      [`${SPACE}member`, 'ann'],
      [`${SPACE}session`, [SESSION, NOW_MS - 1_000, NOW_MS].join(' ')],
    ]);
    storage = {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => values.set(key, value),
    };
  });

  /** Keeps what a forecast says in the session that goes on, and in any other. */
  const keep = (now, other = now, more = {}) => {
    const forecast = (session) => (session === SESSION ? now : other);
    const outlook = {
      ...{ member: 'ann', granted: 7, initial: 7, context: CONTEXT, strip: JSON.stringify, forecast },
      ...more,
    };
    keepRecord(storage, SPACE, outlook, NOW_MS);
  };
  const recall = (more = {}) => {
    const beginning = { context: CONTEXT, granted: 7, isSaid: false, nowMs: NOW_MS + 5, ...more };
    const [painted, targets] = recallFrom(storage, SPACE, beginning);
    const [known, open] = [[], []];
    for (const [slot, of] of targets) of.length ? open.push([slot, of]) : known.push(slot);
    return {
      painted: painted.map(([slot, [, , , , actions]]) => [slot, actions[0][2]]),
      ...{ known, open },
    };
  };

  it('says nothing where nothing is stored, or something that it does not know', () => {
    const nothing = { painted: [], known: [], open: [] };
    assert.deepEqual(recall(), nothing);
    for (const text of ['', '{', '[]', 'null', '{"v":0,"slots":{"hero":{}}}', '{"v":2}']) {
      values.set(`${SPACE}decisions`, text);
      assert.deepEqual(recall(), nothing, text);
    }
  });

  it('takes nothing of a record that somebody else has written', () => {
    const mine = { v: 2, member: 'ann', granted: 7, initial: 7, zone: 'Europe/Rome' };
    const outcome = (filling) => ({ hero: { targets: [], outcomes: [['', 0, {}, filling]] } });
    for (const slots of [{ hero: {} }, { hero: null }, { hero: 7 }, outcome('rule'), outcome(7)]) {
      values.set(`${SPACE}decisions`, JSON.stringify({ ...mine, slots }));
      assert.throws(() => recall(), TypeError);
      // What is kept takes its place.
      keep([['hero', filling('A'), '', 0]]);
      assert.deepEqual(recall().painted, [['hero', 'A']]);
    }
  });

  it('recalls a slot while all that it was decided by is the same', () => {
    keep([['hero', filling('A'), 'page.path\ndevice.class\npage.path\nmissing.thing\n', NOW_MS + 60_000]]);
    const same = { painted: [['hero', 'A']], known: ['hero'], open: [] };
    assert.deepEqual(recall(), same);
    assert.deepEqual(recall({ context: { ...CONTEXT, locale: 'de' } }), same);
    const stale = { painted: [], known: [], open: [['hero', ['#hero']]] };
    for (const more of [
      { context: { ...CONTEXT, page: { path: '/other', search: '' } } },
      { context: { ...CONTEXT, device: {} } },
      { context: { ...CONTEXT, missing: { thing: 0 } } },
      { context: { ...CONTEXT, time_zone: 'Europe/Berlin' } },
      { granted: 3 },
      { nowMs: NOW_MS + 60_000 },
    ]) {
      assert.deepEqual(recall(more), stale, JSON.stringify(more));
    }
    values.set(`${SPACE}member`, 'bob');
    assert.deepEqual(recall(), stale);
  });

  it('has no value that was read, and of two slots only the one that a filter leaves as it is', () => {
    const context = { ...CONTEXT, page: { path: '/', search: '?q=ann@mail.example' } };
    const strip = (value) => JSON.stringify(value).replace(/\w+@[\w.]+/g, '[email]');
    const forecasts = [
      ['hero', filling('A'), 'page.search\n', 0],
      ['mail', filling('for ann@mail.example'), 'page.search\n', 0],
    ];
    keep(forecasts, undefined, { context, strip });
    assert.doesNotMatch(values.get(`${SPACE}decisions`), /@/);
    const kept = { painted: [['hero', 'A']], known: ['hero'], open: [['mail', ['#hero']]] };
    assert.deepEqual(recall({ context }), kept);
    keep(forecasts, undefined, { context });
    assert.deepEqual(recall({ context }).known, ['hero', 'mail']);
    // While it is not known which filter is in effect.
    keep(forecasts, undefined, { context, strip: () => '{}' });
    assert.deepEqual(recall({ context }).known, []);
    assert.deepEqual(recall({ context: CONTEXT }).painted, []);
  });

  it('is nobody’s where the cookie names somebody else, or is gone since it has named the visitor', () => {
    keep([['hero', filling('A'), '', 0]]);
    const painted = (cookie, seen) => {
      Object.assign(document, { cookie });
      if (seen) values.set(`${SPACE}cookie`, seen);
      return recall().painted.length;
    };
    assert.deepEqual(
      [painted('allowed=attune_visitor'), painted('a=ann'), painted('attune_visitor=ann.1700000000')],
      [1, 1, 1],
    );
    assert.deepEqual([painted('attune_visitor=bob.1700000000'), painted('attune_visitor=')], [0, 0]);
    assert.deepEqual([painted('', 'bob.1700000000'), painted('', 'ann.1700000000')], [1, 0]);
    assert.equal(painted('a=b; attune_visitor=ann.1700000001', 'ann.1700000000'), 1);
  });

  it('tells the session that goes on from any other', () => {
    keep([['hero', filling('now'), '', 0]], [['hero', undefined, '', 0]]);
    assert.deepEqual(recall(), { painted: [['hero', 'now']], known: ['hero'], open: [] });
    const other = { painted: [], known: ['hero'], open: [] };
    assert.deepEqual(recall({ nowMs: NOW_MS + 31 * 60_000 }), other);
    values.set(`${SPACE}session`, [SESSION.replace(/1$/, '2'), NOW_MS, NOW_MS].join(' '));
    assert.deepEqual(recall(), other);
    keep([['hero', filling('later'), '', 0]]);
    assert.deepEqual(recall({ nowMs: NOW_MS + 31 * 60_000 }).painted, [['hero', 'later']]);
  });

  it('wants consent to be said where it was said after the page had begun', () => {
    keep([['hero', filling('A'), '', 0]], undefined, { initial: 1 });
    assert.deepEqual(recall().painted, []);
    assert.deepEqual(recall({ isSaid: true }).painted, [['hero', 'A']]);
  });

  it('remembers the elements that a slot has changed, up to a bound', () => {
    for (let number = 0; number < 30; number += 1) {
      keep([
        [
          'hero',
          [
            'rule',
            undefined,
            0,
            0,
            [
              ['hide', `#n${number}`],
              ['variable', 'x', 1],
            ],
          ],
          'page.path\n',
          0,
        ],
      ]);
    }
    keep([['hero', undefined, 'page.path\n', 0]]);
    const [[slot, targets]] = recall({ context: {} }).open;
    assert.equal(slot, 'hero');
    assert.deepEqual([targets.length, targets[0], targets.at(-1)], [20, '#n29', '#n10']);
  });
});
