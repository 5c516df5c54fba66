/** The differences that docs/growthbook-differences.md lists, as far as random cases meet them. */

/** Brackets within brackets from which on a condition may be nested deeper than the core takes. */
const DEPTH = 8;

/** Whether a case is one of them. */
export function known([, condition]) {
  return depth(condition) > DEPTH;
}

function depth(value) {
  if (value === null || typeof value !== 'object') return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}
