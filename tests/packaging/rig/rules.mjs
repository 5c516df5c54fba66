/** Rules for pages that render by themselves: the third view of a category gives a variable. */

import { thirdViewRules } from '../../e2e/rig/rules.mjs';
import { PICKED } from './visit.mjs';

/** The rules of the third view, with a variable instead of a change to the page. */
export function variableRules() {
  const { signals, rules } = thirdViewRules();
  const actions = [{ kind: 'variable', name: 'title', value: PICKED }];
  return { signals, rules: rules.map((rule) => ({ ...rule, actions })) };
}
