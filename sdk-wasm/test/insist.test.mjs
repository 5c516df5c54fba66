/** What is posted where other scripts use up the room for requests that outlive their page. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const URL_OF_EVENTS = 'https://collector.example/v1/events';

describe('a post', () => {
  let insist;
  let page;
  /** Every request, by whether it may outlive its page. */
  let asked;
  /** Which requests fail, by that. */
  let fails;

  beforeEach(async () => {
    page = openPage();
    window.closed = false;
    asked = [];
    globalThis.fetch = async (_url, { keepalive }) => {
      asked.push(keepalive);
      if (fails(keepalive)) throw new TypeError('Failed to fetch');
      return Response.json({});
    };
    ({ insist } = await load('browser/insist.ts'));
  });
  afterEach(closePage);

  const post = async () => (await insist(URL_OF_EVENTS, 'body'))?.status;

  it('that the browser has no room for is made at once without outliving its page', async () => {
    fails = (outlives) => outlives;
    assert.deepEqual([await post(), await post()], [200, 200]);
    assert.deepEqual(asked, [true, false, true, false]);
  });

  it('that has no answer at all costs two requests once, until there is one', async () => {
    fails = () => true;
    assert.deepEqual([await post(), await post(), await post()], [undefined, undefined, undefined]);
    assert.deepEqual(asked, [true, false, false, false]);
    fails = () => false;
    assert.deepEqual([await post(), await post()], [200, 200]);
    assert.deepEqual(asked.slice(4), [false, true]);
  });

  it('whose answer is lost in the back/forward cache has none, soon after the page is back', async () => {
    globalThis.fetch = () => new Promise(() => {});
    const answer = insist(URL_OF_EVENTS, 'body');
    page.dispatch('pageshow', { persisted: false });
    assert.equal(await Promise.race([answer, sleep(1_500, 'waits')]), 'waits');
    page.dispatch('pageshow', { persisted: true });
    assert.equal(await Promise.race([answer, sleep(5_000, 'waits')]), undefined);
  });

  it('of a page that a script closes is made once', async () => {
    fails = () => true;
    window.closed = true;
    await post();
    assert.deepEqual(asked, [true]);
  });
});

describe('what a page hands over as it goes', () => {
  let tail;
  /** The bytes that the browser has room for. */
  let room;
  let handed;
  let later;

  beforeEach(async () => {
    openPage();
    handed = [];
    later = [];
    navigator.sendBeacon = (_url, body) => {
      if (body.size > room) return false;
      room -= body.size;
      body.text().then((text) => handed.push(text));
      return true;
    };
    tail = (await load('driver/tail.ts')).openTail(() => URL_OF_EVENTS);
  });
  afterEach(closePage);

  const rows = Array.from({ length: 20 }, (_, place) => ({ id: `${place}` }));
  const cut = (some) => ({ rows: some, text: (rows) => rows.map(({ id }) => id.padEnd(100)).join('') });
  const ids = () => handed.map((text) => text.split(/ +/).filter(Boolean));
  const hand = async (...cuts) => {
    tail.hand(cuts);
    await sleep(1);
    await settle();
  };

  it('is what is most urgent where there is not room for all, and then what is not there yet', async () => {
    room = 600;
    await hand(cut(rows));
    assert.deepEqual(ids(), [['0', '1', '2', '3', '4']]);
    room = 2_000;
    await hand(cut(rows));
    assert.deepEqual(
      ids()[1],
      rows.slice(5).map(({ id }) => id),
    );
    await hand(cut(rows));
    assert.equal(handed.length, 2);
  });

  it('waits in the store where there is no room at all', async () => {
    room = 50;
    await hand(cut(rows), cut([{ id: 'other' }]));
    assert.deepEqual(handed, []);
  });

  it('is left with browsers that post it later, which have other room for that, until it is not to be sent', async () => {
    window.fetchLater = (_url, { body, signal }) => {
      later.push({ body, signal });
    };
    room = 50;
    await hand(cut(rows));
    assert.deepEqual([later.length, later[0].body.size, later[0].signal.aborted], [1, 2_000, false]);
    // It is there already.
    await hand(cut(rows));
    assert.equal(later.length, 1);
    // One of them has been delivered.
    await hand(cut(rows.slice(1)));
    assert.deepEqual([later.length, later[0].signal.aborted], [2, true]);
    tail.drop();
    assert.ok(later[1].signal.aborted);
  });
});
