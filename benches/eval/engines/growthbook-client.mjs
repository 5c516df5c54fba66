/** GrowthBook's leaner client for many users: `evalFeature(key, context)`, with no record of what has been used. */

import { GrowthBookClient } from '@growthbook/growthbook';

export function start(text) {
  const features = JSON.parse(text);
  const keys = Object.keys(features);
  const client = new GrowthBookClient().initSync({ payload: { features } });
  const on = new Array(keys.length).fill(false);
  let user = { attributes: {} };
  const all = () => {
    for (let at = 0; at < keys.length; at += 1) on[at] = client.evalFeature(keys[at], user).on;
    return on;
  };
  return {
    full(attributes) {
      user = { attributes: { ...attributes } };
      return all();
    },
    change(name, value) {
      user.attributes[name] = value;
      return all();
    },
    holding: () => keys.filter((_, at) => on[at]),
  };
}
