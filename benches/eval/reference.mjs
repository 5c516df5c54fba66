/** The meaning of the rules in plain JavaScript, which every engine has to agree with. */

const STEPS = 10_000;

/** Whether a visitor falls into the first `to` of all visitors, as GrowthBook's hash of version 2 divides them. */
export function inShare(seed, id, to) {
  return (hash(String(hash(seed + id))) % STEPS) / STEPS < to;
}

/** FNV-1a with 32 bits over code units. */
function hash(text) {
  let state = 0x811c9dc5;
  for (let unit = 0; unit < text.length; unit += 1) {
    state = Math.imul(state ^ text.charCodeAt(unit), 0x01000193);
  }
  return state >>> 0;
}

/** The ids of the rules that hold, in their order. */
export function holding(rules, attributes) {
  const holds = (rule) => (condition) => {
    const { kind, name, value, values, above, to } = condition;
    if (kind === 'equals') return attributes[name] === value;
    if (kind === 'in') return values.includes(attributes[name]);
    if (kind === 'threshold') return above ? attributes[name] > value : attributes[name] < value;
    return inShare(rule.id, attributes.id, to);
  };
  return rules.filter((rule) => rule.conditions.every(holds(rule))).map(({ id }) => id);
}

/** How many outcomes a change turns, in the mean over changes one after the other. */
export function turnedPerChange(rules, attributes, changes) {
  const current = { ...attributes };
  let before = new Set(holding(rules, current));
  let turned = 0;
  for (const [name, value] of changes) {
    current[name] = value;
    const after = new Set(holding(rules, current));
    for (const id of before) if (!after.has(id)) turned += 1;
    for (const id of after) if (!before.has(id)) turned += 1;
    before = after;
  }
  return turned / changes.length;
}
