/** Checks a filter policy and writes it as the core reads it. */

import { write } from '../core/writer.ts';
import { isObject } from '../json.ts';

const KINDS = ['email', 'card', 'iban', 'phone', 'ip'];
const TYPES = ['any', 'text', 'number', 'boolean', 'list', 'object'];
const SAMPLE_STEPS = 10_000;
const MAX_RATE = 1_000_000;
const MAX_BYTES = 0xffff_ffff;
const MAX_ITEMS = 256;
const MAX_CHARS = 100;
const VERSION = 1;
/** The form of a policy, its kinds, lists and types. */
const FORM = 'b*t*tbt?nbb*t*(tn?n?bb*(tbb?n))';

type Fields = Record<string, unknown>;

/** Writes a policy. Throws what is wrong with it, as a text that names the place. */
export function encodePolicy(policy: unknown): Uint8Array {
  const fields = open(policy, '', [
    ...['allow', 'deny', 'bots', 'seed', 'per_minute', 'redact', 'url_params', 'types', 'description'],
  ]);
  const allow = patterns(fields.allow, '/allow');
  if (Array.isArray(fields.allow) && allow.length === 0)
    fail('/allow', 'an empty list would allow no event at all; leave it out to allow all');
  const types = list(fields.types, '/types', typeOf).sort(byPattern);
  types.forEach(([on], at) => {
    if (types[at + 1]?.[0] === on) fail('/types', `"${on}" has two entries`);
  });
  const [mode, names] = parameters(fields.url_params);
  return write(FORM, [
    ...[VERSION, allow, patterns(fields.deny, '/deny'), word(fields.bots, '/bots', ['keep', 'drop'])],
    ...[text(fields.seed ?? '', '/seed'), whole(fields.per_minute, '/per_minute', MAX_RATE)],
    ...[kinds(fields.redact, '/redact') ?? 0, mode, names, types],
  ]).slice();
}

type WrittenType = [on: string, share: number, ...rest: unknown[]];

/** The first that covers a type counts: exact ones before longer patterns before shorter ones. */
function byPattern([one]: WrittenType, [other]: WrittenType): number {
  const isOpen = (pattern: string) => Number(pattern.endsWith('*'));
  return isOpen(one) - isOpen(other) || other.length - one.length || (one < other ? -1 : 1);
}

function typeOf(value: unknown, at: string): WrittenType {
  const {
    on,
    sample = 1,
    per_minute,
    redact,
    properties = {},
    others,
  } = open(value, at, [...['on', 'sample', 'per_minute', 'redact', 'properties', 'others', 'description']]);
  if (!(typeof sample === 'number' && sample >= 0 && sample <= 1))
    return fail(`${at}/sample`, 'must be a share from 0 to 1');
  const known = Object.entries(open(properties, `${at}/properties`));
  if (known.length > MAX_ITEMS) fail(`${at}/properties`, `must have at most ${MAX_ITEMS}`);
  return [
    ...([pattern(on, `${at}/on`), Math.round(sample * SAMPLE_STEPS)] as const),
    ...[whole(per_minute, `${at}/per_minute`, MAX_RATE), kinds(redact, `${at}/redact`)],
    word(others, `${at}/others`, ['keep', 'remove']),
    known.map(([name, of]) => property(name, of, `${at}/properties/${name}`)),
  ];
}

function property(name: string, value: unknown, at: string): unknown[] {
  const { type, required = false, max_bytes } = open(value, at, ['type', 'required', 'max_bytes']);
  if (typeof required !== 'boolean') fail(`${at}/required`, 'must be true or false');
  return [name, word(type, `${at}/type`, TYPES), required, whole(max_bytes, `${at}/max_bytes`, MAX_BYTES)];
}

function parameters(value: unknown): [mode: number, names: string[]] {
  if (value === undefined) return [0, []];
  const at = '/url_params';
  const { remove, keep, defaults } = open(value, at, ['remove', 'keep', 'defaults']);
  if (keep === undefined)
    return [1 + word(defaults, `${at}/defaults`, ['remove', 'keep']), patterns(remove, `${at}/remove`)];
  if (remove !== undefined || defaults !== undefined)
    fail(`${at}/keep`, 'what is not kept is removed, so neither remove nor defaults stands beside it');
  return [3, patterns(keep, `${at}/keep`)];
}

function kinds(value: unknown, at: string): number | undefined {
  if (value === undefined) return undefined;
  const named = value === 'all' ? KINDS : list(value, at, text);
  return named.reduce((bits, kind) => bits | (1 << word(kind, at, KINDS)), 0);
}

function patterns(value: unknown, at: string): string[] {
  return list(value, at, pattern);
}

function pattern(value: unknown, at: string): string {
  const found = text(value, at);
  if (!found || /\*./.test(found)) fail(at, 'must not be empty, and a * stands at the end only');
  return found;
}

function list<Item>(value: unknown, at: string, item: (value: unknown, at: string) => Item): Item[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_ITEMS)
    return fail(at, `must be a list of at most ${MAX_ITEMS}`);
  return value.map((one, place) => item(one, `${at}/${place}`));
}

function text(value: unknown, at: string): string {
  const isText = typeof value === 'string' && [...value].length <= MAX_CHARS;
  return isText ? value : fail(at, `must be a text of at most ${MAX_CHARS} characters`);
}

/** Place of a word among those that are known; the first where it is missing. */
function word(value: unknown, at: string, known: string[]): number {
  const place = value === undefined ? 0 : known.indexOf(value as string);
  return place < 0 ? fail(at, `must be one of ${known.join(', ')}`) : place;
}

function whole(value: unknown, at: string, most: number): number | undefined {
  if (value === undefined) return undefined;
  const isWhole = Number.isInteger(value) && (value as number) > 0 && (value as number) <= most;
  return isWhole ? (value as number) : fail(at, `must be a whole number from 1 to ${most}`);
}

function open(value: unknown, at: string, known?: string[]): Fields {
  if (!isObject(value)) return fail(at, 'must be an object');
  for (const name of Object.keys(value))
    if (known && !known.includes(name)) fail(`${at}/${name}`, `is unknown; known are ${known.join(', ')}`);
  return value;
}

function fail(at: string, what: string): never {
  throw new TypeError(`filter${at} ${what}`);
}
