/** The stream from the collector: tokens, resuming, rest of hidden pages, other tabs. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { load } from './load.mjs';
import { closePage, openPage, settle } from './page.mjs';

const OPTIONS = { writeKey: 'demo', collector: 'https://collector.example/base' };

describe('the stream', () => {
  let page;
  let attune;
  let core;
  let streams;
  let tokens;

  beforeEach(() => {
    page = openPage();
    streams = [];
    tokens = [];
    page.entries.set('attune/demo/member', 'm1');
    page.answers['/base/v1/events'] = () => Response.json({ accepted: 1 });
    page.answers['/base/v1/stream/token'] = ({ text }) => {
      tokens.push(JSON.parse(text));
      return Response.json({ token: `t${tokens.length}` });
    };
    globalThis.EventSource = class extends EventTarget {
      isClosed = false;
      constructor(url) {
        super();
        this.url = url;
        streams.push(this);
      }
      close() {
        this.isClosed = true;
      }
      say(name, data, lastEventId = '') {
        this.dispatchEvent(Object.assign(new Event(name), { data, lastEventId }));
      }
    };
  });
  afterEach(async () => {
    await attune.shutdown();
    mock.timers.reset();
    closePage();
  });

  async function start(token = 'm1\nsecret') {
    if (token) page.entries.set('attune/demo/token', token);
    attune = (await load('index.ts')).init(OPTIONS);
    attune.onError(() => {});
    core = await page.load();
  }
  const state = async () => (await load('devtools.ts')).inspect(attune).stream;
  const setHidden = (hidden) => {
    page.document.hidden = hidden;
    page.dispatch('visibilitychange');
  };

  it('opens with a token that the stored member token buys', async () => {
    await start();
    assert.deepEqual(tokens, [{ anonymous_id: 'm1', member_token: 'secret' }]);
    assert.deepEqual(
      streams.map(({ url }) => url),
      ['https://collector.example/base/v1/stream?token=t1'],
    );
    assert.equal(await state(), 'open');
  });

  it('stays closed without a member token, and with another member’s', async () => {
    await start('m2\nsecret');
    assert.deepEqual([tokens, streams, await state()], [[], [], 'closed']);
  });

  it('opens with the token of a receipt, whose member token is stored behind the member', async () => {
    await start('');
    page.answers['/base/v1/events'] = () =>
      Response.json({ accepted: 1, member_token: 'fresh', stream: { token: 's' } });
    attune.track('view');
    await settle();
    assert.deepEqual(
      streams.map(({ url }) => url.split('token=')[1]),
      ['s'],
    );
    attune.flush();
    assert.equal(page.entries.get('attune/demo/token'), 'm1\nfresh');
  });

  it('takes the token that another tab has stored for the same member', async () => {
    await start('');
    page.dispatch('storage', { key: 'attune/demo/token', newValue: 'm2\nother' });
    page.dispatch('storage', { key: 'attune/demo/token', newValue: 'm1\nsecret' });
    await settle();
    assert.deepEqual([tokens.length, streams.length], [1, 1]);
  });

  it('hands profiles on, and goes online and notes a gap at hello', async () => {
    await start();
    const [stream] = streams;
    stream.say('hello', '{"state":"resumed"}');
    assert.deepEqual([core.of('gap').length, core.of('online').length], [0, 1]);
    stream.say('hello', '{"state":"gap"}');
    assert.deepEqual([core.of('gap').length, core.of('online').length], [1, 2]);
    stream.say('profile', btoa('\u0000\u00ff'));
    assert.deepEqual(core.of('profile'), [['profile', Uint8Array.of(0, 255)]]);
  });

  it('reports a profile that cannot be read', async () => {
    await start();
    const errors = [];
    attune.onError(({ code, message }) => errors.push(`${code}: ${message}`));
    core.next('profile', ['failed', 'profile_invalid']);
    streams[0].say('profile', '%');
    await settle();
    assert.deepEqual(errors, ['profile_invalid: a pushed profile cannot be read']);
    assert.deepEqual(core.of('profile'), [['profile', new Uint8Array()]]);
  });

  it('fetches a newer bundle than the one in effect', async () => {
    let fetches = 0;
    page.answers['/base/v1/bundle'] = () => {
      fetches += 1;
      return new Response('');
    };
    await start();
    const first = fetches;
    streams[0].say('bundle', '{"revision":7}');
    streams[0].say('bundle', 'nonsense');
    await settle();
    assert.equal(fetches, first);
    streams[0].say('bundle', '{"revision":8}');
    await settle();
    assert.equal(fetches, first + 1);
  });

  it('opens again after a pause that doubles, resuming after the last id, and at once when a receipt comes', async () => {
    await start();
    mock.timers.enable({ apis: ['setTimeout'] });
    streams[0].say('profile', '', 'id-5');
    streams[0].onerror();
    assert.deepEqual([streams[0].isClosed, await state()], [true, 'connecting']);
    mock.timers.tick(249);
    assert.equal(tokens.length, 1);
    mock.timers.tick(501);
    await settle();
    assert.equal(streams[1].url.split('?')[1], 'token=t2&last_event_id=id-5');
    streams[1].onerror();
    mock.timers.tick(499);
    assert.equal(tokens.length, 2);
    page.answers['/base/v1/events'] = () => Response.json({ accepted: 1, stream: { token: 's' } });
    attune.track('view');
    await settle();
    assert.match(streams[2].url, /token=s&/);
    mock.timers.tick(10_000);
    await settle();
    assert.equal(streams.length, 3);
  });

  it('forgets a member token that is no longer good, and tries again where nobody answers', async () => {
    page.answers['/base/v1/stream/token'] = () => new Response('', { status: 403 });
    await start();
    assert.deepEqual([await state(), streams.length], ['closed', 0]);
    attune.flush();
    assert.equal(page.entries.has('attune/demo/token'), false);
    await attune.shutdown();
    page.core.calls = [];
    page.answers['/base/v1/stream/token'] = () => new Response('', { status: 500 });
    await start();
    assert.equal(await state(), 'connecting');
  });

  it('rests after 5 s of a hidden page, and not where the page is visible again before', async () => {
    await start();
    mock.timers.enable({ apis: ['setTimeout'] });
    setHidden(true);
    mock.timers.tick(4_999);
    setHidden(false);
    mock.timers.tick(10_000);
    assert.equal(streams[0].isClosed, false);
    setHidden(true);
    mock.timers.tick(5_000);
    assert.deepEqual([streams[0].isClosed, await state()], [true, 'closed']);
    setHidden(false);
    await settle();
    assert.equal(streams.length, 2);
  });

  it('ends with its member, and an answer to the member before changes nothing', async () => {
    let answer;
    page.answers['/base/v1/stream/token'] = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await start();
    attune.reset();
    answer(Response.json({ token: 'late' }));
    await settle();
    assert.deepEqual([streams.length, await state()], [0, 'closed']);
  });

  it('stays closed after shutdown', async () => {
    await start();
    await attune.shutdown();
    assert.equal(streams[0].isClosed, true);
    page.dispatch('online');
    await settle();
    assert.equal(streams.length, 1);
  });
});
