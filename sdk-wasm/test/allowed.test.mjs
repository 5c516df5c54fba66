/** What an action may set on an element. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

/** What a change is made on. */
const LINK = { localName: 'a' };
const CODE = ['script', 'style', 'link', 'base', 'iframe', 'frame', 'embed'];

const { isAllowed } = await load('dom/allowed.ts');

const urlAllowed = (url) => isAllowed(['attribute', 'a', 'href', url], LINK);
const attributeAllowed = (name) => isAllowed(['attribute', 'a', name, ''], LINK);

it('lets addresses through that cannot run code', () => {
  for (const url of [
    'https://a.example/x',
    'HTTP://a.example',
    '/sale?a=b:c',
    '#top',
    '?q=a:b',
    'mailto:a@b.example',
    'tel:1',
    'images/a.svg',
    '',
  ]) {
    assert.ok(urlAllowed(url), url);
  }
});

it('refuses addresses that can', () => {
  for (const url of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    '\u0000javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'https\n:x',
  ]) {
    assert.ok(!urlAllowed(url), JSON.stringify(url));
  }
});

it('knows a closed list of attributes, aria-* and data-*', () => {
  for (const name of ['alt', 'href', 'src', 'title', 'value', 'width', 'aria-label', 'data-x']) {
    assert.ok(attributeAllowed(name), name);
  }
  for (const name of [
    'onclick',
    'style',
    'srcdoc',
    'HREF',
    'data-',
    'aria-',
    'xlink:href',
    'title ',
    '',
    'class',
  ]) {
    assert.ok(!attributeAllowed(name), name);
  }
});

it('checks what a place has filled into an address, and no other value', () => {
  for (const [name, value, allowed] of [
    ['href', '/sale', true],
    ['href', 'javascript:alert(1)', false],
    ['src', 'data:text/html,x', false],
    ['cite', 'javascript:alert(1)', false],
    ['title', 'javascript: the good parts', true],
    ['onclick', 'alert(1)', false],
  ]) {
    assert.equal(isAllowed(['attribute', 'a', name, value], LINK), allowed, `${name}=${value}`);
  }
  assert.ok(isAllowed(['text', 'a', 'javascript:alert(1)'], LINK));
});

it('lets neither a text nor an address through where that is code', () => {
  for (const localName of CODE) {
    const element = { localName };
    for (const name of ['src', 'href', 'cite']) {
      assert.ok(!isAllowed(['attribute', localName, name, '/x'], element), `${name} of ${localName}`);
    }
    assert.ok(!isAllowed(['text', localName, 'x'], element), localName);
    assert.ok(isAllowed(['attribute', localName, 'title', 'x'], element), localName);
    assert.ok(isAllowed(['hide', localName], element), localName);
  }
});
