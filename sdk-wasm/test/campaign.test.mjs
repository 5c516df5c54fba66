/** What is kept of a campaign, with a filter and without, over a storage that is a map. */

import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { load } from './load.mjs';

const SPACE = 'attune/demo/';
const KEY = `${SPACE}campaign`;
const SEARCH = '?utm_source=news&utm_term=ann@mail.example';
const OWN = { source: 'news', term: 'ann@mail.example' };
const LEFT = { source: 'news', term: '[email]' };

describe('what is kept of a campaign', () => {
  let openCampaign;
  let keepCampaign;
  let values;
  let storage;
  before(async () => {
    ({ openCampaign } = await load('campaign.ts'));
    ({ keepCampaign } = await load('campaign-record.ts'));
  });
  beforeEach(() => {
    values = new Map();
    storage = {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => values.set(key, value),
    };
  });
  afterEach(() => {
    globalThis.location = undefined;
  });

  /** Begins a page, and a session in it. */
  const begin = (search, filter, session = 'one') => {
    globalThis.location = { search };
    const campaign = openCampaign(storage, SPACE, filter);
    return { own: campaign.own, kept: campaign.note(session) };
  };
  const redacted = (value) => JSON.stringify(value).replace(/\w+@[\w.]+/g, '[email]');
  const keep = (campaign, strip = redacted) => keepCampaign(storage, SPACE, { context: { campaign }, strip });
  const stored = () => JSON.parse(values.get(KEY));

  it('is there at once where no filter has a say', () => {
    assert.deepEqual(begin(SEARCH), { own: OWN, kept: undefined });
    assert.deepEqual(stored(), ['one', OWN]);
    keep(OWN, JSON.stringify);
    assert.deepEqual(stored(), ['one', OWN]);
    assert.deepEqual(begin(''), { own: undefined, kept: OWN });
  });

  for (const [name, filter, policy] of [
    ['the page', { redact: 'all' }],
    ['the bundle, as the page says', 'bundle'],
    ['the bundle, as an earlier page has noted', undefined, '1'],
  ]) {
    it(`is what a filter of ${name} leaves`, () => {
      if (policy) values.set(`${SPACE}policy`, policy);
      begin(SEARCH, filter);
      assert.doesNotMatch(values.get(KEY), /mail|news/);
      // The filter is not there yet.
      keep(OWN, () => '{}');
      assert.doesNotMatch(values.get(KEY), /mail|news/);
      keep(OWN);
      assert.deepEqual(stored(), ['one', LEFT]);
      assert.deepEqual(begin('', filter), { own: undefined, kept: LEFT });
      assert.deepEqual(begin('', filter, 'two'), { own: undefined, kept: undefined });
    });
  }

  it('is no campaign of another page, whichever of them keeps it', () => {
    begin(SEARCH, 'bundle');
    const [session, page] = stored();
    values.set(KEY, JSON.stringify([session, page + 1]));
    keep({ source: 'mine' });
    assert.deepEqual(stored(), [session, page + 1]);
    assert.deepEqual(begin('', 'bundle'), { own: undefined, kept: undefined });
  });

  it('loses what a filter forbids that has come later', () => {
    begin(SEARCH);
    keep({ source: 'of another page' });
    assert.deepEqual(stored(), ['one', LEFT]);
  });

  it('is nothing where nothing is there, or something that is no record', () => {
    keep(OWN);
    assert.deepEqual([...values], []);
    for (const text of ['', '{', 'null', '7', '["one"]', '["one",null]', '[]']) {
      values.set(KEY, text);
      keep(OWN);
      assert.equal(values.get(KEY), text);
    }
  });
});
