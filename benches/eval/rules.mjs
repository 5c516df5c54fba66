/**
 * One set of rules in the languages of all engines: N rules, each of two to four conditions that must all hold.
 *
 * Conditions are equality, membership in a list, a threshold and a share of all visitors, over twenty attributes, as
 * targeting rules are in the field. Everything follows from a seed.
 */

const COUNTRIES =
  'AT BE BR CA CH CN CZ DE DK ES FI FR GB GR HU IE IN IT JP KR MX NL NO PL PT SE TR UA US ZA'.split(' ');
const PLANS = ['free', 'starter', 'pro', 'team', 'enterprise'];
const TEXTS = [
  'country',
  'plan',
  'device',
  'language',
  'browser',
  'campaign',
  'referrer',
  'city',
  'segment',
  'theme',
];
const NUMBERS = [
  'age',
  'visits',
  'spent',
  'cart_items',
  'cart_value',
  'days_since',
  'pages',
  'scroll',
  'score',
  'rating',
];

/** A generator of numbers below a bound (SplitMix32). */
export function random(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % bound;
  };
}

function valuesOf(name) {
  if (name === 'country') return COUNTRIES;
  if (name === 'plan') return PLANS;
  return Array.from({ length: 20 }, (_, index) => `${name}-${index}`);
}

/** Conditions of N rules in a neutral form. */
export function definitions(count, seed = 1) {
  const next = random(seed);
  const pick = (list) => list[next(list.length)];
  const condition = () => {
    const kind = next(4);
    if (kind === 0) {
      const name = pick(TEXTS);
      return { kind: 'equals', name, value: pick(valuesOf(name)) };
    }
    if (kind === 1) {
      const name = pick(TEXTS);
      const values = new Set(Array.from({ length: 2 + next(4) }, () => pick(valuesOf(name))));
      return { kind: 'in', name, values: [...values] };
    }
    if (kind === 2) return { kind: 'threshold', name: pick(NUMBERS), above: next(2) === 0, value: next(100) };
    return { kind: 'share', to: (5 + next(60)) / 100 };
  };
  return Array.from({ length: count }, (_, number) => {
    const conditions = [];
    const wanted = 2 + next(3);
    while (conditions.length < wanted) {
      const made = condition();
      // One test of a name is enough, and one share of visitors.
      if (!conditions.some(({ kind, name }) => kind === made.kind && name === made.name))
        conditions.push(made);
    }
    return { id: `rule-${number}`, conditions };
  });
}

/** Attributes of a visitor by number. */
export function visitor(number) {
  const next = random(1_000 + number);
  const attributes = { id: `user-${number}` };
  for (const name of TEXTS) attributes[name] = valuesOf(name)[next(valuesOf(name).length)];
  for (const name of NUMBERS) attributes[name] = next(100);
  // An object that has grown name by name is slower to read in V8 than one that comes out of JSON, as attributes do.
  return JSON.parse(JSON.stringify(attributes));
}

/** Single changes, one after the other; each gives its attribute another value than the one before. */
export function changes(count) {
  const next = random(7);
  const last = new Map();
  return Array.from({ length: count }, () => {
    const isText = next(2) === 0;
    const name = (isText ? TEXTS : NUMBERS)[next(10)];
    let value;
    do value = isText ? valuesOf(name)[next(valuesOf(name).length)] : next(100);
    while (value === last.get(name));
    last.set(name, value);
    return [name, value];
  });
}

/** The conditions over attributes in the form that GrowthBook and Attune share. */
function operators({ conditions }, prefix) {
  const when = {};
  for (const condition of conditions) {
    const place = `${prefix}${condition.name}`;
    if (condition.kind === 'equals')
      when[place] = place in when ? { ...when[place], $eq: condition.value } : condition.value;
    else if (condition.kind === 'in') when[place] = { ...own(when[place]), $in: condition.values };
    else if (condition.kind === 'threshold') {
      when[place] = { ...own(when[place]), [condition.above ? '$gt' : '$lt']: condition.value };
    }
  }
  return when;
}

const own = (test) => (test === undefined ? {} : typeof test === 'string' ? { $eq: test } : test);
const share = ({ conditions }) => conditions.find(({ kind }) => kind === 'share')?.to;

/** A rule file of Attune. */
export function attuneRules(rules) {
  return {
    rules: rules.map((rule) => {
      const when = operators(rule, 'traits.');
      const to = share(rule);
      if (to !== undefined) when.$bucket = { by: 'traits.id', seed: rule.id, in: [[0, to]] };
      return {
        id: rule.id,
        slot: rule.id,
        when,
        actions: [{ kind: 'variable', name: rule.id, value: true }],
      };
    }),
  };
}

/** GrowthBook's features. */
export function growthbookFeatures(rules) {
  const feature = (rule) => {
    const to = share(rule);
    const force = { condition: operators(rule, ''), force: true };
    if (to !== undefined)
      Object.assign(force, { range: [0, to], hashAttribute: 'id', hashVersion: 2, seed: rule.id });
    return { defaultValue: false, rules: [force] };
  };
  return Object.fromEntries(rules.map((rule) => [rule.id, feature(rule)]));
}

/** JsonLogic, with the operator `share` registered by its user. */
export function jsonLogic(rules) {
  const test = (rule) => (condition) => {
    const value = { var: condition.name };
    if (condition.kind === 'equals') return { '==': [value, condition.value] };
    if (condition.kind === 'in') return { in: [value, condition.values] };
    if (condition.kind === 'threshold') return { [condition.above ? '>' : '<']: [value, condition.value] };
    return { share: [{ var: 'id' }, rule.id, condition.to] };
  };
  return rules.map((rule) => ({ and: rule.conditions.map(test(rule)) }));
}

/** json-rules-engine, with the operator `share`. */
export function jsonRulesEngine(rules) {
  const test = (rule) => (condition) => {
    if (condition.kind === 'equals')
      return { fact: condition.name, operator: 'equal', value: condition.value };
    if (condition.kind === 'in') return { fact: condition.name, operator: 'in', value: condition.values };
    if (condition.kind === 'threshold') {
      return {
        fact: condition.name,
        operator: condition.above ? 'greaterThan' : 'lessThan',
        value: condition.value,
      };
    }
    return { fact: 'id', operator: 'share', value: { seed: rule.id, to: condition.to } };
  };
  return rules.map((rule) => ({
    conditions: { all: rule.conditions.map(test(rule)) },
    event: { type: rule.id },
  }));
}

/**
 * ZEN's expressions, one per rule. Its WebAssembly evaluates expressions only and knows no hash, so the share of visitors
 * stays with the host, which asks for it where the expression holds.
 */
export function zenExpressions(rules) {
  const literal = (value) => JSON.stringify(value);
  const test = ({ kind, name, value, values, above }) => {
    if (kind === 'equals') return `${name} == ${literal(value)}`;
    if (kind === 'in') return `${name} in [${values.map(literal).join(', ')}]`;
    return `${name} ${above ? '>' : '<'} ${value}`;
  };
  return rules.map((rule) => ({
    id: rule.id,
    expression: rule.conditions
      .filter(({ kind }) => kind !== 'share')
      .map(test)
      .join(' and '),
    share: share(rule),
  }));
}
