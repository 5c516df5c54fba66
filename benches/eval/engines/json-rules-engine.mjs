/** json-rules-engine: one `run` for all rules, with an operator for the share of visitors. */

import { Engine } from 'json-rules-engine';
import { inShare } from '../reference.mjs';

export function start(text) {
  const engine = new Engine();
  engine.addOperator('share', (id, { seed, to }) => inShare(seed, id, to));
  for (const rule of JSON.parse(text)) engine.addRule(rule);
  let current = {};
  let events = [];
  const all = async () => {
    ({ events } = await engine.run(current));
    return events;
  };
  return {
    waits: true,
    full(attributes) {
      current = { ...attributes };
      return all();
    },
    change(name, value) {
      current[name] = value;
      return all();
    },
    holding: () => events.map(({ type }) => type),
  };
}
