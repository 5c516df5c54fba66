/** The script-tag file: puts the public API at `window.attune` and takes over what the inline snippet has kept. */

import type { Attune } from './attune.ts';
import { type Consent, NOTHING_SAID, saidIn } from './consent.ts';
import { mergeConsent } from './consent-merge.ts';
import { devtoolsPort } from './devtools-port.ts';
import type { FirstPaint } from './first-paint/contract.ts';
import { initWith } from './init.ts';
import type { InitOptions } from './options.ts';
import type { QueuedCall } from './queue.ts';
import { closeSlips } from './slip.ts';

const page = window as unknown as { attune?: unknown };
const kept = page.attune;
/** The calls that have been made before the script was there. */
const calls = (Array.isArray(kept) ? kept : []) as QueuedCall[];
/** What the loader keeps beside calls: it is whose tag has the attributes. */
const { tag, first } = Object(kept) as { tag?: HTMLScriptElement; first?: FirstPaint };
const script = ATTUNE_BEHIND_LOADER ? tag : (tag ?? (document.currentScript as HTMLScriptElement | null));
const address = new URL(script?.dataset.src ?? script?.src ?? '', document.baseURI);
const beside = (file: string) => new URL(file, address).href;
/** Loads a file beside the script. Browsers that keep in mind that an address has failed are given another one. */
const part =
  <Part>(file: string) =>
  (attempt?: unknown): Promise<Part> =>
    import(beside(file) + (attempt ? `#${attempt}` : ''));
const loadTag = part<typeof import('./tag.ts')>(ATTUNE_TAG_FILE);
const loadCapturing = part<typeof import('./capturing.ts')>(ATTUNE_CAPTURING_FILE);
/** Of a tag that stands twice in the page, the first has started it. */
const begun =
  ATTUNE_BEHIND_LOADER || calls === kept ? undefined : (Object(kept).init as typeof init | undefined);
let agree: () => void;
/** Settles when anything may be requested: what captures events is asked for then, before all that is rare. */
const agreed = new Promise<void>((done) => {
  agree = done;
});
const start =
  begun ??
  initWith({
    defaultWasmUrl: beside(ATTUNE_WASM_FILE),
    restWasmUrl: beside(ATTUNE_REST_FILE),
    loadCapturing(attempt) {
      agree();
      return loadCapturing(attempt);
    },
    loadBackground: part(ATTUNE_BACKGROUND_FILE),
    loadRestore: part(ATTUNE_RESTORE_FILE),
    loadTrust: part(ATTUNE_TRUST_FILE),
    loadFilter: part(ATTUNE_FILTER_FILE),
    loadVisitorCookie: part(ATTUNE_VISITOR_COOKIE_FILE),
    loadPlain: part(ATTUNE_PLAIN_FILE),
    loadWords: loadTag,
    loadActions: part(ATTUNE_ACTIONS_FILE),
    loadPreview: part(ATTUNE_PREVIEW_FILE),
    first,
  });
if (!ATTUNE_BEHIND_LOADER && script) closeSlips(script);
const {
  writeKey,
  collector = beside('..'),
  trust,
  project,
  environment,
  autocapture,
  consent,
  strict,
  cookieless,
  visitorCookie,
  doNotTrack,
  manual,
  filter,
  src,
  slots,
  hideMs = '',
  ...others
} = script?.dataset ?? {};

let said: Consent | undefined;

/** `init` of the npm package; the script's own attributes are its defaults. */
function init(options?: Partial<InitOptions>): Attune {
  const wishes = {
    strict: isThere(strict),
    cookieless: isThere(cookieless),
    doNotTrack: isThere(doNotTrack),
  };
  const site = { writeKey, collector, trust, project, environment, filter, visitorCookie };
  // What is said here is said once: it takes nothing back when a page calls this again.
  said ??= saidBefore();
  const defaults = { ...site, ...wishes, consent: said };
  const settings = { ...defaults, ...options } as InitOptions;
  const attune = start(settings);
  page.attune = Object.assign(attune, { init });
  takeOver(attune);
  const { report } = attune[devtoolsPort];
  // Before a visitor has agreed, nothing at all may be requested where the site is strict.
  if (settings.strict) attune.ready.then(agree, agree);
  else agree();
  // Few pages have something to be told.
  const isWrong =
    Object.keys({ ...others, ...first?.unread })[0] ||
    [strict, cookieless, doNotTrack, manual].includes('false') ||
    (ATTUNE_BEHIND_LOADER || tag ? Number.isNaN(+hideMs) : (slots ?? hideMs)) ||
    consent?.split(/\s+/).some((name) => name && !(name in NOTHING_SAID));
  // Nothing would work, and nothing would say why: what does is loaded when the visitor has agreed.
  if (strict === 'false') report('option_invalid', 'data-strict', 'usage');
  if (script && isWrong)
    agreed
      .then(loadTag)
      .then((tag) => tag.tellMistakes(script, first, report))
      .catch(() => {});
  if (autocapture != null) {
    agreed.then(part<typeof import('./autocapture/tag.ts')>(ATTUNE_AUTOCAPTURE_FILE)).then(
      (module) => module.start(attune, autocapture),
      (cause) => report('autocapture_failed', String(cause)),
    );
  }
  return attune;
}

/** What an attribute without a value says by being there. */
function isThere(attribute: string | undefined): true | undefined {
  return attribute === undefined ? undefined : true;
}

/** What has been said of consent before the script was there: nothing may be stored before it is known. */
function saidBefore(): Consent {
  // What is no consent is told when the call is made.
  const isConsent = (said: unknown) => typeof mergeConsent(NOTHING_SAID, said) !== 'string';
  const said = keptFor('consent').map(([first]) => first);
  return Object.assign({}, consent != null && saidIn(consent), ...said.filter(isConsent));
}

/** What a method has been called with before the script was there. */
function keptFor(name: string): unknown[][] {
  return calls.flatMap(([method, values]) => (method === name ? [values] : []));
}

function takeOver(attune: Attune): void {
  const replay = (call: QueuedCall) => {
    const [method, values, id, ms] = call;
    // What has been taken back has no name.
    const run =
      method !== 'init' && (attune as unknown as Record<string, (...values: unknown[]) => unknown>)[method];
    if (run) call[4] = attune.at({ id, ms }, () => run.apply(attune, values));
  };
  for (const call of calls.splice(0)) replay(call);
  calls.push = (...more) => {
    more.forEach(replay);
    return 0;
  };
}

const [asked] = keptFor('init');
if (asked) init(...(asked as [InitOptions]));
else if (writeKey && manual == null) init();
else {
  page.attune = Object.assign(kept ?? {}, { init });
  // Whoever has written its key under another name would wait for it in vain.
  if (script && manual == null && strict == null && Object.keys(others)[0])
    loadTag()
      .then((tag) => tag.tellMistakes(script, first, tag.tellConsole))
      .catch(() => {});
}
