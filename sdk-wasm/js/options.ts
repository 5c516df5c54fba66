/** The options of `init`, checked once with an error that names the option and what it should be. */

import { ALL_GRANTED, type Consent, mergeConsent } from './consent.ts';
import type { JsonObject } from './context.ts';
import { type AttuneError, usageError } from './errors.ts';
import { isObject } from './json.ts';

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
   * @defaultValue every purpose is `granted`
   */
  consent?: Consent;
  /**
   * Address of the WebAssembly file.
   * @defaultValue `attune_bg.wasm` beside this module
   */
  wasmUrl?: string | URL;
}

/** Options after the check: every address is absolute, without a slash at its end. */
export interface Settings {
  writeKey: string;
  collector: string;
  context: JsonObject;
  /** The granted purposes, by bits. */
  consent: number;
  wasmUrl: string | undefined;
}

const NAMES = ['writeKey', 'collector', 'context', 'consent', 'wasmUrl'];
const WRITE_KEY = /^[\w.-]{1,100}$/;

/**
 * Checks the options of `init`; relative addresses are resolved against `base`.
 *
 * @throws {AttuneError} `option_invalid`, `option_missing` or `option_unknown`.
 */
export function readOptions(options: unknown, base: string): Settings {
  if (!isObject(options))
    throw usageError('option_invalid', `init: options must be an object, got ${kind(options)}`);
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) {
      throw usageError('option_unknown', `init: unknown option "${name}"; known are ${NAMES.join(', ')}`);
    }
  }
  const { writeKey, collector, context = {}, consent = {}, wasmUrl } = options;
  if (typeof writeKey !== 'string' || !WRITE_KEY.test(writeKey)) {
    throw wrong('writeKey', writeKey, '1 to 100 letters, digits, ".", "_" or "-"');
  }
  if (!isObject(context)) throw wrong('context', context, 'an object');
  const granted = mergeConsent(ALL_GRANTED, consent);
  if (typeof granted === 'string') throw usageError('option_invalid', `init: option "consent" ${granted}`);
  return {
    writeKey,
    collector: address('collector', collector, base),
    context,
    consent: granted,
    wasmUrl: wasmUrl === undefined ? undefined : address('wasmUrl', wasmUrl, base),
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
