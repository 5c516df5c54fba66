/** GrowthBook's conditions alone: `evalCondition` per rule, with the share of visitors asked by the host. */

import { evalCondition } from '@growthbook/growthbook';
import { inShare } from '../reference.mjs';

export function start(text) {
  const rules = Object.entries(JSON.parse(text)).map(([id, { rules }]) => ({ id, ...rules[0] }));
  const on = new Array(rules.length).fill(false);
  let current = {};
  const all = () => {
    for (let at = 0; at < rules.length; at += 1) {
      const { condition, range, seed } = rules[at];
      on[at] = evalCondition(current, condition) && (!range || inShare(seed, current.id, range[1]));
    }
    return on;
  };
  return {
    full(attributes) {
      current = { ...attributes };
      return all();
    },
    change(name, value) {
      current[name] = value;
      return all();
    },
    holding: () => rules.filter((_, at) => on[at]).map(({ id }) => id),
  };
}
