/** Changes with parts that are in place or not together. */

import type { Made } from '../dom/change.ts';
import type { Means } from '../dom/page.ts';

/** By what is changed: the change that is in place. */
const WHOLES = new WeakMap<object, Made>();

/** Makes a change in place of another, as `exchange` does with a value. */
export function makeWhole(owner: object, make: () => Made, [, exchange]: Means): Made {
  const put = (next: unknown) => {
    WHOLES.get(owner)?.undo();
    WHOLES.delete(owner);
    if (typeof next === 'function') WHOLES.set(owner, next());
  };
  const read = (): [unknown] => {
    const whole = WHOLES.get(owner);
    return [whole?.holds() && whole];
  };
  return exchange<[unknown]>(owner, '', read, put, make);
}
