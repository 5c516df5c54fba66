/**
 * GoRules ZEN in WebAssembly, which evaluates expressions only: one per rule, over attributes that are handed over once
 * per visitor. The share of visitors stays with the host, where the expression holds.
 */

import { initSync, Variable } from '@gorules/zen-engine-wasm';
import { inShare } from '../reference.mjs';

/** Compiles and instantiates the module. */
export async function load(module) {
  const { memory } = initSync({ module });
  return () => memory.buffer.byteLength;
}

export function start(text) {
  const rules = JSON.parse(text);
  const on = new Array(rules.length).fill(false);
  let id = '';
  let variable;
  const hand = (next) => {
    variable?.free();
    variable = next;
  };
  const all = () => {
    for (let at = 0; at < rules.length; at += 1) {
      const { id: seed, expression, share } = rules[at];
      on[at] = variable.evaluateExpression(expression) && (share === undefined || inShare(seed, id, share));
    }
    return on;
  };
  return {
    full(attributes) {
      id = attributes.id;
      hand(new Variable(attributes));
      return all();
    },
    change(name, value) {
      hand(variable.cloneWith(name, value));
      return all();
    },
    holding: () => rules.filter((_, at) => on[at]).map(({ id }) => id),
  };
}
