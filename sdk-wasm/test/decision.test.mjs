/** The value that decisions give a name. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const { variableIn } = await load('decision.ts');
const giving = (slot, variables) => ({ slot, variables });

it('is that of the first slot by name, in whichever order they come', () => {
  const both = [giving('hero', { tone: 'hero' }), giving('aside', { tone: 'aside', other: 1 })];
  for (const decisions of [both, both.toReversed(), new Set(both)])
    assert.equal(variableIn(decisions, 'tone', 'none'), 'aside');
  assert.equal(variableIn([giving('aside', {}), ...both.slice(0, 1)], 'tone', 'none'), 'hero');
});

it('is the fallback where none gives it, or one of another type, and of any type beside null', () => {
  const decisions = [giving('hero', { text: 'a', number: 1, none: null, list: [1] })];
  for (const [name, fallback, expected] of [
    ['missing', 'b', 'b'],
    ['toString', 'b', 'b'],
    ['text', 7, 7],
    ['number', 7, 1],
    ['text', null, 'a'],
    ['list', null, [1]],
    ['none', null, null],
  ]) {
    assert.deepEqual(variableIn(decisions, name, fallback), expected, name);
  }
});
