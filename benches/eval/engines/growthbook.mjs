/**
 * GrowthBook as pages use it: one instance, `setAttributes`, `evalFeature` by key.
 *
 * Beside evaluating, each call of `evalFeature` makes a context of the instance's options, reads the page's address,
 * copies the set of features on the stack, and writes the result as JSON to note that the feature has been used.
 */

import { GrowthBook } from '@growthbook/growthbook';

export function start(text) {
  const features = JSON.parse(text);
  const keys = Object.keys(features);
  const growthbook = new GrowthBook().initSync({ payload: { features } });
  const on = new Array(keys.length).fill(false);
  const all = () => {
    for (let at = 0; at < keys.length; at += 1) on[at] = growthbook.evalFeature(keys[at]).on;
    return on;
  };
  return {
    full(attributes) {
      growthbook.setAttributes(attributes);
      return all();
    },
    change(name, value) {
      growthbook.updateAttributes({ [name]: value });
      return all();
    },
    holding: () => keys.filter((_, at) => on[at]),
  };
}
