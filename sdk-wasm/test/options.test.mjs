/** Options of `init`: one clear error each. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const BASE = 'https://shop.example/products/';
const GOOD = { writeKey: 'demo', collector: 'https://attune.example' };
const NO_WISHES = { privacyControl: false, doNotTrack: false };
const { readOptions } = await load('options.ts');
const { captureState, grantedBits } = await load('consent.ts');

it('resolves addresses against the page and drops slashes at their end', () => {
  assert.equal(readOptions({ ...GOOD, collector: '/' }, BASE, NO_WISHES).collector, 'https://shop.example');
  assert.equal(
    readOptions({ ...GOOD, collector: 'https://a.example/attune/' }, BASE, NO_WISHES).collector,
    'https://a.example/attune',
  );
  assert.equal(
    readOptions({ ...GOOD, collector: '//a.example:8080/x:1' }, BASE, NO_WISHES).collector,
    'https://a.example:8080/x:1',
  );
  assert.equal(
    readOptions({ ...GOOD, wasmUrl: new URL('https://cdn.example/a.wasm') }, BASE, NO_WISHES).wasmUrl,
    'https://cdn.example/a.wasm',
  );
});

it('grants every purpose that is not spoken of, and none that is denied or unknown', () => {
  const granted = (consent) => grantedBits(readOptions({ ...GOOD, consent }, BASE, NO_WISHES).consent);
  assert.equal(granted(undefined), 7);
  assert.equal(granted({ personalization: 'denied' }), 3);
  assert.equal(granted({ analytics: 'unknown', personalization: undefined }), 5);
  assert.equal(granted({ functional: 'denied', analytics: 'granted', personalization: 'unknown' }), 2);
});

it('captures where analytics or personalization is granted, and drops where both are denied', () => {
  const capture = (analytics, personalization) => {
    return captureState(
      readOptions({ ...GOOD, consent: { analytics, personalization } }, BASE, NO_WISHES).consent,
    );
  };
  assert.deepEqual(
    [capture('denied', 'granted'), capture('unknown', 'denied'), capture('denied', 'denied')],
    ['granted', 'unknown', 'denied'],
  );
});

it('takes the browser’s wishes for what is said, unless the site says otherwise', () => {
  const said = (options, wishes) => grantedBits(readOptions({ ...GOOD, ...options }, BASE, wishes).consent);
  const gpc = { privacyControl: true, doNotTrack: false };
  const dnt = { privacyControl: false, doNotTrack: true };
  assert.equal(said({}, gpc), 3);
  assert.equal(said({ consent: { personalization: 'granted' } }, gpc), 7);
  assert.deepEqual(
    [said({}, dnt), said({ doNotTrack: true }, dnt), said({ doNotTrack: true }, NO_WISHES)],
    [7, 1, 7],
  );
});

it('refuses consent of any kind without failing itself', () => {
  for (const [state, named] of [
    ['yes', 'got "yes"'],
    [1n, 'got bigint'],
    [Symbol('granted'), 'got symbol'],
    [['granted'], 'got ["granted"]'],
  ]) {
    assert.throws(
      () => readOptions({ ...GOOD, consent: { analytics: state } }, BASE, NO_WISHES),
      (error) => error.code === 'option_invalid' && error.message.endsWith(named),
    );
  }
});

it('takes a domain for the visitor’s cookie', () => {
  for (const visitorCookie of [
    undefined,
    'example.com',
    'shop.example.co.uk',
    'xn--bcher-kva.example',
    'localhost',
  ]) {
    assert.equal(readOptions({ ...GOOD, visitorCookie }, BASE, NO_WISHES).visitorCookie, visitorCookie);
  }
});

const KEY = `ed25519:${'Ab-_'.repeat(10)}xyz`;

it('takes trusted keys as a list or as a text, and with them what rules must be for', () => {
  for (const trust of [[KEY, KEY], `${KEY} ${KEY}`]) {
    const settings = readOptions({ ...GOOD, trust, project: 'shop' }, BASE, NO_WISHES);
    assert.deepEqual([settings.trust, settings.project], [`${KEY} ${KEY}`, 'shop']);
  }
  assert.equal(readOptions({ ...GOOD, trust: undefined }, BASE, NO_WISHES).trust, undefined);
});

for (const [name, options, code, text] of [
  ['no options', undefined, 'option_invalid', 'options must be an object'],
  ['no write key', { collector: '/' }, 'option_missing', '"writeKey" must be'],
  ['a write key with a space', { ...GOOD, writeKey: 'a b' }, 'option_invalid', 'got "a b"'],
  ['no collector', { writeKey: 'demo' }, 'option_missing', '"collector" must be an http or https address'],
  ['a collector that is no address', { ...GOOD, collector: 'http://' }, 'option_invalid', '"collector"'],
  ['a collector of another kind', { ...GOOD, collector: 'ftp://a' }, 'option_invalid', '"collector"'],
  ...['127.0.0.1:7171', '127.0.0.1:7171/attune', '[::1]:7171', 'localhost:7171', 'attune.example:7171'].map(
    (collector) => [
      `a collector without a scheme, ${collector}`,
      { ...GOOD, collector },
      'option_invalid',
      '"collector" must be an http or https address',
    ],
  ),
  ['a context that is a list', { ...GOOD, context: [] }, 'option_invalid', '"context" must be an object'],
  [
    'consent that is no object',
    { ...GOOD, consent: 'denied' },
    'option_invalid',
    '"consent" must be an object',
  ],
  [
    'consent to an unknown purpose',
    { ...GOOD, consent: { ads: 'granted' } },
    'option_invalid',
    '"consent": purpose must be one of functional, analytics, personalization, got "ads"',
  ],
  [
    'consent by another word',
    { ...GOOD, consent: { analytics: true } },
    'option_invalid',
    '"consent": analytics must be one of unknown, denied, granted, got true',
  ],
  ['a strict that is a text', { ...GOOD, strict: 'yes' }, 'option_invalid', '"strict" must be true or false'],
  ['an empty list of keys', { ...GOOD, trust: [] }, 'option_invalid', '"trust" must be 1 to 16'],
  ['an empty text of keys', { ...GOOD, trust: '' }, 'option_invalid', '"trust"'],
  ['a key of another kind', { ...GOOD, trust: [`x${KEY}`] }, 'option_invalid', '"trust"'],
  ['a key that is short', { ...GOOD, trust: [KEY, KEY.slice(1)] }, 'option_invalid', '"trust"'],
  ['too many keys', { ...GOOD, trust: Array(17).fill(KEY) }, 'option_invalid', '"trust"'],
  [
    'a project without keys',
    { ...GOOD, project: 'shop' },
    'option_invalid',
    '"project" must be a text, beside',
  ],
  [
    'an environment without keys',
    { ...GOOD, environment: 'live' },
    'option_invalid',
    '"environment" must be a text, beside "trust"',
  ],
  ['an environment that is none', { ...GOOD, trust: KEY, environment: 5 }, 'option_invalid', '"environment"'],
  ...[
    ['', 'text'],
    ['com', 'domain without a dot'],
    ['.example.com', 'dot at the beginning'],
    ['https://example.com', 'scheme'],
    ['example.com:443', 'port'],
    ['example.com/', 'path'],
    ['127.0.0.1', 'address'],
    ['example.com;secure', 'attribute'],
    [7, 'number'],
    [null, 'nothing'],
  ].map(([visitorCookie, what]) => [
    `a visitor’s cookie for a ${what}`,
    { ...GOOD, visitorCookie },
    'option_invalid',
    '"visitorCookie" must be a domain like "example.com"',
  ]),
  [
    'a visitor’s cookie where there are none',
    { ...GOOD, visitorCookie: 'example.com', cookieless: true },
    'option_invalid',
    'not beside "cookieless"',
  ],
  [
    'one that is needed and misspelt',
    { collector: '/', writekey: 'demo' },
    'option_unknown',
    '"writekey"; known',
  ],
  ['a misspelt option', { ...GOOD, colector: '/' }, 'option_unknown', '"colector"; known are writeKey'],
]) {
  it(`refuses ${name}, naming the option and what it should be`, () => {
    assert.throws(
      () => readOptions(options, BASE, NO_WISHES),
      (error) => error.name === 'AttuneError' && error.code === code && error.message.includes(text),
    );
  });
}
