/** The options of `init`, checked once with an error that names the option and what it should be. */

import type { Wishes } from './browser/wishes.ts';
import { type Consent, defaultConsent, type Said } from './consent.ts';
import { mergeConsent } from './consent-merge.ts';
import type { JsonObject } from './context.ts';
import type { LoadActions } from './dom/page.ts';
import type { LoadTrust } from './driver/bundles.ts';
import type { LoadBackground, LoadCapturing, LoadPreview, LoadRestore } from './driver/contract.ts';
import type { LoadFilter } from './driver/filter.ts';
import { type AttuneError, usageError } from './errors.ts';
import type { FilterPolicy } from './filter-policy.ts';
import type { FirstPaint } from './first-paint/contract.ts';
import { isObject } from './json.ts';
import type { LoadPlain } from './link.ts';
import { seen } from './seen.ts';
import type { LoadVisitorCookie } from './visitor-cookie.ts';
import type { LoadWords } from './words.ts';

/** An event as `beforeSend` sees it. */
export interface OutgoingEvent {
  /** Types that begin with `attune.` are the SDK's own. */
  readonly event_type: string;
  metadata: JsonObject;
}

/** Options of `init`. */
export interface InitOptions {
  /** The site's write key, as the collector was started with. */
  writeKey: string;
  /** Address of the collector, such as `https://attune.example.com`; relative to the page where it has no origin. */
  collector: string;
  /**
   * Fields merged into the page's context from the start.
   * @defaultValue `{}`
   */
  context?: JsonObject;
  /**
   * What the visitor has said of each purpose.
   * @defaultValue every purpose is `granted`; `personalization` is `denied` where the browser sends Global Privacy Control
   */
  consent?: Consent;
  /**
   * Whether nothing at all is requested, not even what knows nothing of the visitor, until events may be captured.
   * @defaultValue `false`
   */
  strict?: boolean;
  /**
   * Whether nothing is stored on the device: every page load is a visitor of its own.
   * @defaultValue `false`
   */
  cookieless?: boolean;
  /**
   * The parent domain, such as `example.com`, on which the collector sets a cookie by which its hosts know a visitor for
   * the same. The collector is on that domain, and started for it.
   * @defaultValue none: every host has visitors of its own
   */
  visitorCookie?: string;
  /**
   * Whether a browser's "Do Not Track" denies `analytics` and `personalization`, as long as `consent` says nothing else.
   * @defaultValue `false`
   */
  doNotTrack?: boolean;
  /**
   * Which events may leave the page, and with what: judged before anything is stored or sent. What judges is loaded only
   * where there is a policy. The bundle may have one as well, and then both count; `bundle` says that it has, so that
   * events wait in memory for it even where the page does not know the bundle yet.
   * @defaultValue all that the bundle lets through, as soon as it is known
   */
  filter?: FilterPolicy | 'bundle';
  /**
   * Called with every event before it is judged, stored or sent. What it returns takes the event's place; nothing, or
   * something that it throws, drops the event.
   * @defaultValue events stay as they are
   */
  beforeSend?: (event: OutgoingEvent) => OutgoingEvent | null | undefined;
  /**
   * Event types whose metadata is sent where the browser refuses WebAssembly: nothing can judge it there, so of other
   * events only ids, type, time and the page's path leave.
   * @defaultValue `[]`
   */
  withoutWasm?: readonly string[];
  /**
   * Address of the WebAssembly, `attune_bg.wasm`, as one file.
   * @defaultValue two files beside this module, `attune_first.wasm` and then `attune_rest.wasm`
   */
  wasmUrl?: string | URL;
  /**
   * Public keys as `attune bundle keygen` prints them, 1 to 16 of `ed25519:…`, as a list or as a text with spaces between
   * them. Rules are taken only where one of them has signed the collector's key set and that set's keys the rest; a
   * list that is missing takes what the collector serves.
   */
  trust?: readonly string[] | string;
  /**
   * The project that rules must be for, beside `trust`.
   * @defaultValue that of the key set
   */
  project?: string;
  /**
   * The environment that rules must be for, beside `trust`.
   * @defaultValue any
   */
  environment?: string;
}

/** Options after the check: every address is absolute, without a slash at its end. */
export interface SiteSettings extends Omit<InitOptions, 'wasmUrl' | 'trust'>, Pick<Wishes, 'privacyControl'> {
  context: JsonObject;
  consent: Said;
  withoutWasm: readonly string[];
  wasmUrl: string | undefined;
  /** Trusted keys with spaces between them; nothing where the collector is. */
  trust: string | undefined;
}

/** What a build of the SDK has beside its script. */
export interface Parts {
  /** Where its WebAssembly file is, unless the site says otherwise. */
  defaultWasmUrl: string;
  /** What follows it behind the first decision; nothing where it is whole. */
  restWasmUrl?: string;
  /** How to load what captures once the core is whole, and what runs behind the first decision; tries after the first have a number from 1. */
  loadCapturing: (attempt: number) => ReturnType<LoadCapturing>;
  loadBackground: (attempt: number) => ReturnType<LoadBackground>;
  /** How to load what takes back what earlier page loads have stored. */
  loadRestore: LoadRestore;
  /** How to load what verifies bundles. */
  loadTrust: LoadTrust;
  /** How to load what judges by a policy. */
  loadFilter: LoadFilter;
  /** How to load what makes one visitor of the hosts of a domain. */
  loadVisitorCookie: LoadVisitorCookie;
  /** How to load what sends events where WebAssembly is refused. */
  loadPlain: LoadPlain;
  /** How to load what errors say. */
  loadWords: LoadWords;
  /** How to load what makes the changes that few bundles have. */
  loadActions: LoadActions;
  /** How to load what shows a preview. */
  loadPreview: LoadPreview;
  /** What the loader has painted, where there is one. */
  first?: FirstPaint | undefined;
}

/** What an instance is made with. */
export type Settings = SiteSettings &
  Parts & {
    /** The token of a preview that the page is to show. */
    preview: string | undefined;
  };

const TRUST = /^(ed25519:[\w-]{43}( |$)){1,16}$/;
/** A name with dots, whose last part tells it from an IP address, or the one without. */
const DOMAIN = /^(localhost|([a-z\d-]+\.)+[a-z][a-z\d-]*)$/;
const WRITE_KEY = /^[\w.-]{1,100}$/;

/** What an option has to be: how that is seen, and how it is said. */
type Check = [isGood: (value: unknown, options: JsonObject) => unknown, expected: string];

const isText = (value: unknown) => typeof value === 'string';
/** A host with a port and no scheme, of which a path would be made. */
const HOST = /^[^/]+:\d/;
const ADDRESS: Check = [
  (value) => (value instanceof URL || isText(value)) && value !== '' && !HOST.test(value as string),
  'an http or https address',
];
const SWITCH: Check = [(value) => typeof value === 'boolean', 'true or false'];
const SCOPE: Check = [(value, { trust }) => trust && value && isText(value), 'a text, beside "trust"'];
const OBJECT: Check = [isObject, 'an object'];

/** Every option there is. */
const CHECKS: Record<keyof InitOptions, Check> = {
  writeKey: [
    (value) => isText(value) && WRITE_KEY.test(value as string),
    '1 to 100 letters, digits, ".", "_", "-"',
  ],
  collector: ADDRESS,
  context: OBJECT,
  consent: OBJECT,
  strict: SWITCH,
  cookieless: SWITCH,
  visitorCookie: [
    (value, { cookieless }) => isText(value) && DOMAIN.test(value as string) && !cookieless,
    'a domain like "example.com", not beside "cookieless"',
  ],
  doNotTrack: SWITCH,
  filter: [(value) => value === 'bundle' || isObject(value), 'an object or "bundle"'],
  beforeSend: [(value) => typeof value === 'function', 'a function'],
  withoutWasm: [(value) => Array.isArray(value) && value.every(isText), 'a list of event types'],
  wasmUrl: ADDRESS,
  trust: [(value) => TRUST.test(keysIn(value)), '1 to 16 of "ed25519:…"'],
  project: SCOPE,
  environment: SCOPE,
};

/**
 * Checks the options of `init`; relative addresses are resolved against `base`, and `wishes` are the browser's.
 *
 * @throws {AttuneError} `option_invalid`, `option_missing` or `option_unknown`.
 */
export function readOptions(options: unknown, base: string, wishes: Wishes): SiteSettings {
  if (!isObject(options))
    throw usageError('option_invalid', `init: options must be an object, got ${seen(options)}`);
  const names = Object.keys(CHECKS);
  const { writeKey, collector } = options;
  // These two have to be there, and the rest where it is.
  for (const [name, value] of Object.entries({ ...options, writeKey, collector })) {
    const check = CHECKS[name as keyof InitOptions];
    if (!names.includes(name))
      throw usageError('option_unknown', `init: unknown option "${name}"; known are ${names.join(', ')}`);
    const isNeeded = value !== undefined || name === 'writeKey' || name === 'collector';
    if (isNeeded && !check[0](value, options)) throw wrong(name, value, check[1]);
  }
  const { context = {}, consent = {}, withoutWasm = [], ...others } = options as unknown as InitOptions;
  const said = mergeConsent(defaultConsent(wishes, others.doNotTrack), consent);
  if (typeof said === 'string') throw usageError('option_invalid', `init: option "consent": ${said}`);
  const address = (name: 'collector' | 'wasmUrl') => {
    const value = others[name];
    if (value === undefined) return value;
    try {
      const { protocol, href } = new URL(value, base);
      if (/^https?:/.test(protocol)) return href.replace(/\/+$/, '');
    } catch {
      // It is no address at all.
    }
    throw wrong(name, value, ADDRESS[1]);
  };
  return {
    ...others,
    privacyControl: wishes.privacyControl,
    context,
    withoutWasm,
    consent: said,
    collector: address('collector') as string,
    wasmUrl: address('wasmUrl'),
    trust: others.trust && keysIn(others.trust),
  };
}

function keysIn(trust: unknown): string {
  return Array.isArray(trust) ? trust.join(' ') : (trust as string);
}

function wrong(name: string, value: unknown, expected: string): AttuneError {
  const code = value === undefined ? 'option_missing' : 'option_invalid';
  return usageError(code, `init: option "${name}" must be ${expected}, got ${seen(value)}`);
}
