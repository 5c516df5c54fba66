/** What the attributes of a tag are, and which slips of the pen close what they were meant to. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { load } from './load.mjs';

const { ATTRIBUTES } = await load('tag.ts');
const { closeSlips, meantBy } = await load('slip.ts');
const js = join(import.meta.dirname, '../js');

it('knows every attribute that script and loader read, and no other', () => {
  const read = new Set();
  for (const file of ['script.ts', 'first-paint/loader.ts', 'first-paint/known.ts']) {
    const text = readFileSync(join(js, file), 'utf8');
    const lists = [
      ...text.matchAll(/\{([^{}]*)\} = \w+\??\.dataset/g),
      ...text.matchAll(/dataset: \{([^{}]*)\}/g),
    ];
    for (const [, list] of lists)
      for (const part of list.split(',')) {
        const [, name] = /^\s*(\w+)/.exec(part) ?? [];
        if (name) read.add(name);
      }
    for (const [, name] of text.matchAll(/\bdataset\??\.(\w+)/g)) read.add(name);
  }
  const attributes = [...read].map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  assert.ok(attributes.length > 10, attributes.join());
  assert.deepEqual(attributes.sort(), [...ATTRIBUTES].sort());
});

it('sees what a name was meant to be', () => {
  const close = [
    'consent',
    'consents',
    'Consent',
    'conset',
    'cosent',
    'onsent',
    'concent',
    'cosnent',
    'consen',
  ];
  for (const name of [...close, 'consennt', 'consentRequired']) assert.equal(meantBy(name), 'consent', name);
  for (const name of ['strict', 'strickt', 'stict', 'srtict', 'strit', 'strictMode'])
    assert.equal(meantBy(name), 'strict', name);
  for (const name of [
    'writeKey',
    'src',
    'slots',
    'filter',
    'manual',
    'cookieconsent',
    'context',
    'script',
    'control',
  ])
    assert.equal(meantBy(name), undefined, name);
});

it('takes a slip for what was meant, with nothing granted, unless that is there as well', () => {
  const closed = (dataset) => {
    closeSlips({ dataset });
    return dataset;
  };
  assert.deepEqual(closed({ consents: 'analytics', stricd: '' }), {
    consents: 'analytics',
    stricd: '',
    consent: '',
    strict: '',
  });
  assert.deepEqual(closed({ consents: '', consent: 'analytics' }), { consents: '', consent: 'analytics' });
  assert.deepEqual(closed({ writeKey: 'demo' }), { writeKey: 'demo' });
});
