/** The script-tag file: puts the public API at `window.attune` and takes over what the inline snippet has kept. */

import type { Attune } from './attune.ts';
import type { Consent } from './consent.ts';
import { devtoolsPort } from './devtools-port.ts';
import { initWith } from './init.ts';
import type { InitOptions } from './options.ts';

/** A call as the inline snippet keeps it: method, values, event id, time, and where its return value belongs. */
type KeptCall = [method: string, values: unknown[], id: string, ms: number, result?: unknown];

const METHODS = [
  'track',
  'page',
  'identify',
  'group',
  'reset',
  'setContext',
  'consent',
  'onDecision',
  'onError',
  'flush',
];

const page = window as unknown as { attune?: unknown };
const script = document.currentScript as HTMLScriptElement | null;
const address = script?.src || document.baseURI;
const kept = page.attune;
const beside = (file: string) => new URL(file, address).href;
const start = initWith(
  beside(ATTUNE_WASM_FILE),
  () => import(beside(ATTUNE_TRUST_FILE)),
  () => import(beside(ATTUNE_FILTER_FILE)),
  () => import(beside(ATTUNE_ACTIONS_FILE)),
  () => import(beside(ATTUNE_PREVIEW_FILE)),
);
const {
  writeKey,
  collector = beside('..'),
  trust,
  project,
  environment,
  autocapture,
} = script?.dataset ?? {};

/** `init` of the npm package; the script's own attributes are its defaults. */
function init(options?: Partial<InitOptions>): Attune {
  const defaults = { writeKey, collector, trust, project, environment, consent: keptConsent() };
  const attune = start({ ...defaults, ...options } as InitOptions);
  page.attune = Object.assign(attune, { init });
  if (Array.isArray(kept)) takeOver(attune, kept);
  if (autocapture != null) {
    import(beside(ATTUNE_AUTOCAPTURE_FILE)).then(
      (module) => module.start(attune, autocapture),
      (cause) => attune[devtoolsPort].report('autocapture_failed', String(cause)),
    );
  }
  return attune;
}

/** What has been said of consent before the script was there: nothing may be stored before it is known. */
function keptConsent(): Consent {
  const calls = Array.isArray(kept) ? (kept as KeptCall[]) : [];
  return Object.assign({}, ...calls.flatMap(([method, values]) => (method === 'consent' ? values : [])));
}

function takeOver(attune: Attune, calls: unknown[]): void {
  const replay = (call: unknown) => {
    const [method, values, id, ms] = call as KeptCall;
    if (!METHODS.includes(method)) return;
    const run = attune[method as 'track'] as (...values: unknown[]) => unknown;
    (call as KeptCall)[4] = attune.at({ id, ms }, () => run.apply(attune, values));
  };
  for (const call of calls.splice(0)) replay(call);
  calls.push = (...more) => {
    more.forEach(replay);
    return 0;
  };
}

if (writeKey) init();
else if (Array.isArray(kept)) Object.assign(kept, { init });
else page.attune = { init };
