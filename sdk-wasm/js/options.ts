/** The options of `init`, checked once with an error that names the option and what it should be. */

import type { Wishes } from './browser/wishes.ts';
import { type Consent, defaultConsent, mergeConsent, type Said } from './consent.ts';
import type { JsonObject } from './context.ts';
import type { LoadActions } from './dom/page.ts';
import type { LoadTrust } from './driver/bundles.ts';
import type { LoadPreview } from './driver/contract.ts';
import type { LoadFilter } from './driver/filter.ts';
import { type AttuneError, usageError } from './errors.ts';
import type { FilterPolicy } from './filter-policy.ts';
import type { FirstPaint } from './first-paint/contract.ts';
import { isObject } from './json.ts';
import type { LoadPlain } from './link.ts';

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
   * Address of the WebAssembly file.
   * @defaultValue `attune_bg.wasm` beside this module
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
export interface SiteSettings {
  writeKey: string;
  collector: string;
  context: JsonObject;
  consent: Said;
  /** Whether the browser sends Global Privacy Control. */
  privacyControl: boolean;
  strict: boolean;
  cookieless: boolean;
  /** The domain of the visitor's cookie, where there is one. */
  visitorCookie: string | undefined;
  filter: InitOptions['filter'];
  beforeSend: InitOptions['beforeSend'];
  withoutWasm: readonly string[];
  wasmUrl: string | undefined;
  /** Trusted keys with spaces between them; nothing where the collector is. */
  trust: string | undefined;
  project: string | undefined;
  environment: string | undefined;
}

/** What a build of the SDK has beside its script. */
export interface Parts {
  /** Where its WebAssembly file is, unless the site says otherwise. */
  defaultWasmUrl: string;
  /** How to load what verifies bundles. */
  loadTrust: LoadTrust;
  /** How to load what judges by a policy. */
  loadFilter: LoadFilter;
  /** How to load what sends events where WebAssembly is refused. */
  loadPlain: LoadPlain;
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

const NAMES = [
  'writeKey',
  'collector',
  'context',
  'consent',
  'strict',
  'cookieless',
  'visitorCookie',
  'doNotTrack',
  'filter',
  'beforeSend',
  'withoutWasm',
  'wasmUrl',
  'trust',
  'project',
  'environment',
];

const TRUST = /^(ed25519:[\w-]{43}( |$)){1,16}$/;
/** A name with dots, whose last part tells it from an IP address, or the one without. */
const DOMAIN = /^(localhost|([a-z\d-]+\.)+[a-z][a-z\d-]*)$/;
const WRITE_KEY = /^[\w.-]{1,100}$/;

/**
 * Checks the options of `init`; relative addresses are resolved against `base`, and `wishes` are the browser's.
 *
 * @throws {AttuneError} `option_invalid`, `option_missing` or `option_unknown`.
 */
export function readOptions(options: unknown, base: string, wishes: Wishes): SiteSettings {
  if (!isObject(options))
    throw usageError('option_invalid', `init: options must be an object, got ${kind(options)}`);
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) {
      throw usageError('option_unknown', `init: unknown option "${name}"; known are ${NAMES.join(', ')}`);
    }
  }
  const { writeKey, collector, context = {}, consent = {}, wasmUrl, trust, project, environment } = options;
  const { strict, cookieless, visitorCookie, doNotTrack, filter, beforeSend, withoutWasm = [] } = options;
  if (typeof writeKey !== 'string' || !WRITE_KEY.test(writeKey)) {
    throw wrong('writeKey', writeKey, '1 to 100 letters, digits, ".", "_" or "-"');
  }
  if (filter !== undefined && filter !== 'bundle' && !isObject(filter))
    throw wrong('filter', filter, 'an object or "bundle"');
  if (beforeSend !== undefined && typeof beforeSend !== 'function')
    throw wrong('beforeSend', beforeSend, 'a function');
  if (!Array.isArray(withoutWasm) || withoutWasm.some((type) => typeof type !== 'string'))
    throw wrong('withoutWasm', withoutWasm, 'a list of event types');
  if (!isObject(context)) throw wrong('context', context, 'an object');
  const said = mergeConsent(defaultConsent(wishes, doNotTrack === true), consent);
  if (typeof said === 'string') throw usageError('option_invalid', `init: option "consent" ${said}`);
  for (const [name, value] of Object.entries({ strict, cookieless, doNotTrack })) {
    if (value !== undefined && typeof value !== 'boolean') throw wrong(name, value, 'true or false');
  }
  if (visitorCookie !== undefined && (cookieless || !DOMAIN.test(visitorCookie as string)))
    throw wrong('visitorCookie', visitorCookie, 'a domain such as "example.com", not beside "cookieless"');
  const keys = Array.isArray(trust) ? trust.join(' ') : trust;
  if (keys !== undefined && !TRUST.test(keys as string))
    throw wrong('trust', trust, '1 to 16 of "ed25519:…"');
  for (const [name, value] of Object.entries({ project, environment })) {
    if (value !== undefined && !(keys && value && typeof value === 'string'))
      throw wrong(name, value, 'a text, beside "trust"');
  }
  return {
    writeKey,
    collector: address('collector', collector, base),
    context,
    consent: said,
    privacyControl: wishes.privacyControl,
    strict: strict === true,
    cookieless: cookieless === true,
    visitorCookie: visitorCookie as string | undefined,
    filter: filter as InitOptions['filter'],
    beforeSend: beforeSend as InitOptions['beforeSend'],
    withoutWasm: withoutWasm as string[],
    wasmUrl: wasmUrl === undefined ? undefined : address('wasmUrl', wasmUrl, base),
    trust: keys as string | undefined,
    project: project as string | undefined,
    environment: environment as string | undefined,
  };
}

function address(name: string, value: unknown, base: string): string {
  const expected = 'an http or https address';
  if (!(value instanceof URL) && (typeof value !== 'string' || value === ''))
    throw wrong(name, value, expected);
  let url: URL;
  try {
    url = new URL(value, base);
  } catch {
    throw wrong(name, value, expected);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(name, value, expected);
  return url.href.replace(/\/+$/, '');
}

function wrong(name: string, value: unknown, expected: string): AttuneError {
  const code = value === undefined ? 'option_missing' : 'option_invalid';
  return usageError(code, `init: option "${name}" must be ${expected}, got ${kind(value)}`);
}

function kind(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : typeof value;
}
