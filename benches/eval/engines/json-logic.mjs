/** JsonLogic: `apply` per rule, with an operator for the share of visitors. */

import jsonLogic from 'json-logic-js';
import { inShare } from '../reference.mjs';

export function start(text) {
  const rules = JSON.parse(text);
  const on = new Array(rules.length).fill(false);
  let current = {};
  jsonLogic.add_operation('share', (id, seed, to) => inShare(seed, id, to));
  const all = () => {
    for (let at = 0; at < rules.length; at += 1) on[at] = jsonLogic.apply(rules[at], current);
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
    // Its rules have no names; those of the bench are numbered.
    holding: () => on.flatMap((holds, at) => (holds ? [`rule-${at}`] : [])),
  };
}
