/** Which names autocapture takes for given by people. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from './load.mjs';

const { isStable } = await load('autocapture/stable-names.ts');

const GIVEN =
  'button navItem btn-primary isOpen card__title col-md-6 product-list FAQList item10 step2 h1 mt-4 checkout-form emailInput';
const MADE_UP =
  'css-1q2w3e sc-bdVaJa sc-gsnTZi Button_root__3fK9x Header__xYzAbC jsx-2871293847 svelte-1tky8bj e3b0c44298fc product-12345';
const STATES = 'active is-open has-error ng-pristine hover';

it('names that people give are stable', () => {
  for (const name of GIVEN.split(' ')) assert.ok(isStable(name), name);
});

it('hashes, numbers of records, states, and what is no plain name are not', () => {
  for (const name of `${MADE_UP} ${STATES} :r1: md:flex w-1/2`.split(' ')) assert.ok(!isStable(name), name);
  assert.ok(!isStable(''));
  assert.ok(!isStable('a'.repeat(50)));
});
