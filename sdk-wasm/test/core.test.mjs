/** The byte interface: what is written is what is read, and effects come in their order. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const { readerOf } = await load('core/reader.ts');
const { write, byteLength } = await load('core/writer.ts');
const { carryOut } = await load('core/effects.ts');
const { openCore } = await load('core/core.ts');
const { SIGNAL, WAKE } = await load('core/operations.ts');
const { FakeCore } = await import('./core.mjs');

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const bytesOf = (form, values) => write(form, values).slice();
const roundTrip = (form, values) => readerOf(bytesOf(form, values))(form);

it('writes primitives as the interface describes them', () => {
  const hex = (form, ...values) => Buffer.from(bytesOf(form, values)).toString('hex');
  assert.equal(hex('b', true), '01');
  assert.equal(hex('n', 300), 'ac02');
  assert.equal(hex('f', 1), '000000000000f03f');
  assert.equal(hex('u', ID), ID.replaceAll('-', ''));
  assert.equal(hex('t', 'ü'), '02c3bc');
  assert.equal(hex('y', Uint8Array.of(7)), '0107');
  assert.equal(hex('?t', undefined), '00');
  assert.equal(hex('?t', null), '00');
  assert.equal(hex('?t', ''), '0100');
  assert.equal(hex('*b', [1, 2]), '020102');
  assert.equal(hex('xn0', 5).length, 2 * 10);
});

it('carries counts up to 2^53', () => {
  for (const count of [0, 127, 128, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual(roundTrip('n', [count]), [count]);
  }
});

it('carries texts of any length, and half a surrogate pair as the replacement character', () => {
  for (const text of [
    '',
    'plain',
    'ü€😀',
    '\ufeffmarked',
    'x'.repeat(127),
    '€'.repeat(43),
    'y'.repeat(70_000),
  ]) {
    assert.deepEqual(roundTrip('tt', [text, 'after']), [text, 'after']);
  }
  assert.deepEqual(roundTrip('t', ['a\ud800b']), ['a\ufffdb']);
  assert.equal(byteLength('ü€😀'), 9);
});

it('carries JSON values of every kind', () => {
  const value = JSON.parse(
    '{"none":null,"yes":true,"no":false,"number":-1.5e-7,"text":"ü","list":[1,[],{}],"__proto__":{"a":1}}',
  );
  const [read] = roundTrip('v', [value]);
  assert.deepEqual(Object.entries(read), Object.entries(value));
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});

it('carries lists of tuples behind optional fields', () => {
  const values = [undefined, [[ID, 1]], [9, { a: 1 }]];
  assert.deepEqual(roundTrip('?t*(un)?(nv)', values), values);
});

it('writes zeros for what cannot be read of an id', () => {
  assert.deepEqual([...bytesOf('ub', ['', 7])], [...Array(16).fill(0), 7]);
  assert.equal(bytesOf('u', ['nonsense that is far longer than an id would be']).length, 16);
});

it('refuses an output that ends early instead of following it', () => {
  for (const [form, bytes] of [
    ['t', [5, 1]],
    ['f', [1, 2]],
    ['n', [255]],
  ]) {
    assert.throws(() => readerOf(Uint8Array.from(bytes))(form), RangeError, form);
  }
});

it('hands effects over in the order of the output', () => {
  const heard = [];
  const effects = Array.from(
    { length: 18 },
    (_, at) =>
      (...fields) =>
        heard.push([at + 1, ...fields]),
  );
  const output = [
    ...bytesOf('bn', [1, 4]),
    ...bytesOf('btu', [9, 'someone', ID]),
    ...bytesOf('btb', [7, 'hero', 0]),
    ...bytesOf('bf', [13, 0]),
  ];
  carryOut(Uint8Array.from(output), effects);
  assert.deepEqual(heard, [
    [1, 4],
    [9, 'someone', ID],
    [7, 'hero', undefined],
    [13, 0],
  ]);
});

it('reads the actions of a decision', () => {
  let filling;
  const actions = [
    bytesOf('btt', [0, '#a', 'text']),
    bytesOf('bttt', [1, '#a', 'href', '/']),
    bytesOf('bt*t*t', [2, '#a', ['on'], ['off']]),
    bytesOf('bttt', [3, '#a', 'color', 'red']),
    bytesOf('bt', [4, '#a']),
    bytesOf('bt', [5, '#a']),
    bytesOf('btv', [6, 'tone', { warm: true }]),
    bytesOf('bt*t*t', [9, '', ['event', 'sale'], ['x']]),
  ];
  const head = bytesOf('btbt?tbfn', [7, 'hero', 1, 'rule', undefined, 1, 12, actions.length]);
  const effects = [];
  effects[6] = (_, found) => {
    filling = found;
  };
  carryOut(Uint8Array.from([head, ...actions].flatMap((part) => [...part])), effects);
  assert.deepEqual(filling, [
    'rule',
    undefined,
    1,
    12,
    [
      ['text', '#a', 'text'],
      ['attribute', '#a', 'href', '/'],
      ['class', '#a', ['on'], ['off']],
      ['style', '#a', 'color', 'red'],
      ['hide', '#a'],
      ['show', '#a'],
      ['variable', 'tone', { warm: true }],
      ['further', '', ['event', 'sale'], ['x']],
    ],
  ]);
});

it('takes memory anew after every call, for it may have grown', () => {
  const calls = [];
  let memory = new ArrayBuffer(512);
  const exports = {
    memory: {
      get buffer() {
        return memory;
      },
    },
    input(length) {
      memory = new ArrayBuffer(length + 512);
      return 8;
    },
    call(operation, length) {
      calls.push([operation, ...readerOf(new Uint8Array(memory, 8, length).slice())('fft').slice(2)]);
      memory = new ArrayBuffer(1024);
      new Uint8Array(memory).set(bytesOf('bv', [14, 'answered']), 100);
      return bytesOf('bv', [14, 'answered']).length;
    },
    output: () => 100,
  };
  const answers = [];
  const effects = [];
  effects[13] = (value) => answers.push(value);
  const [core] = openCore(exports, effects);
  core(SIGNAL, 'views', undefined);
  assert.deepEqual([calls, answers], [[[17, 'views']], ['answered']]);
});

it('answers what the core asks about regular expressions, in order, before anything else', () => {
  const fake = new FakeCore();
  const [core] = openCore(
    fake.exports,
    Array.from({ length: 18 }, () => () => {}),
  );
  fake.next('wake', ['match', '\n^a\nabc'], ['match', 'i\n^GRÜN\ngrün'], ['match', '\na$\nb\na']);
  fake.next('matches', ['match', '\nb\nac']);
  core(WAKE);
  assert.deepEqual(fake.calls, [['wake'], ['matches', [1, 1, 1]], ['matches', [0]]]);
  core(WAKE);
  assert.equal(fake.of('matches').length, 2);
});

it('stops answering a core that asks without end', () => {
  const fake = new FakeCore();
  fake.on_matches = () => [['match', '\na\na']];
  fake.next('wake', ['match', '\na\na']);
  const [core] = openCore(
    fake.exports,
    Array.from({ length: 18 }, () => () => {}),
  );
  core(WAKE);
  assert.equal(fake.of('matches').length, 16);
});
