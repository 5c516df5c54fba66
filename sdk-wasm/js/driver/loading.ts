/** What a driver starts with: the core, the first answer to the question for rules, and what judges events. */

import { isPrerendering } from '../browser/activation.ts';
import { get } from '../browser/http.ts';
import { loadCore } from '../core-loading.ts';
import { isObject } from '../json.ts';
import type { Settings } from '../options.ts';
import type { LoadCapturing, StartDriver } from './contract.ts';
import { startDriver } from './driver.ts';

/** Loads it. */
export async function loadDriver(settings: Settings, loadCapturing: LoadCapturing): Promise<StartDriver> {
  const {
    collector,
    writeKey,
    trust,
    filter: policy,
    loadFilter,
    wasmUrl,
    defaultWasmUrl,
    restWasmUrl,
  } = settings;
  const judging = isObject(policy) ? loadFilter().then(({ openJudges }) => openJudges(policy)) : undefined;
  let rest: ReturnType<LoadCapturing> | undefined;
  const fetchRest = () => {
    if (rest) return rest;
    const core = !wasmUrl && restWasmUrl ? loadCore(restWasmUrl, loading) : undefined;
    rest = Promise.all([loadCapturing(), core]).then(([part]) => part);
    // It fails where it is waited for.
    rest.catch(() => {});
    return rest;
  };
  // Behind what is needed first, which has the way to itself until it comes.
  const loading = loadCore(wasmUrl ?? defaultWasmUrl, undefined, fetchRest);
  // A question without an identifier, like that for the core, and as it may be asked: not before somebody looks.
  const bundle = trust || isPrerendering() ? undefined : get(`${collector}/v1/bundle?k=${writeKey}`);
  const [exports, site] = await Promise.all([loading, judging]);
  return (start) => startDriver({ ...start, exports, rest: fetchRest(), bundle, site });
}
