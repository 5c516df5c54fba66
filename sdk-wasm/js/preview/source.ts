/** What the collector publishes, for a preview: key set and bundle, verified where the page names trusted keys. */

import { get } from '../browser/http.ts';
import { NAMED_BUNDLE } from '../core/operations.ts';
import type { Settings } from '../options.ts';
import { type KeeperDriving, openKeeper } from '../trust/keeper.ts';
import { refused } from './token.ts';

/** How the bytes of a key set begin. */
const KEY_SET = 'ATNK';

/** What is published. */
export interface Source {
  keySet: Uint8Array;
  bundle: Uint8Array;
}

/** Fetches what is in effect for a member; a candidate that shares try is not previewed where the collector is trusted. */
export async function fetchSource(settings: Settings, member: string): Promise<Source> {
  const url = (path: string) => `${settings.collector}${path}?k=${settings.writeKey}`;
  const found: Partial<Source> = {};
  if (settings.trust) {
    const driving: KeeperDriving = {
      url,
      member: () => member,
      isEnded: () => false,
      isBlocked: () => false,
      taken: () => undefined,
      report() {},
      // A preview leaves nothing behind, so it remembers nothing of what pages have taken before.
      storage: { getItem: () => null, setItem() {}, removeItem() {} },
      heard(answer) {
        const { body } = (answer ?? {}) as { body?: Uint8Array };
        if (body && String.fromCharCode(...body.subarray(0, 4)) === KEY_SET) found.keySet = body;
        return answer;
      },
      input(act) {
        act();
        return true;
      },
      core(operation, ...fields) {
        if ((operation as unknown) === NAMED_BUNDLE) found.bundle = fields[0] as unknown as Uint8Array;
      },
    };
    // What it has heard holds once the attempt has come to its end.
    await (await openKeeper(driving, settings))();
  } else {
    const [keys, bundle] = await Promise.all([get(url('/v1/bundle/keys')), get(url('/v1/bundle'))]);
    if (keys?.status === 200) found.keySet = keys.body;
    if (bundle?.status === 200) found.bundle = bundle.body;
  }
  const { keySet, bundle } = found;
  if (!keySet || !bundle) throw refused('the collector has no key set, or has published no bundle');
  return { keySet, bundle };
}
