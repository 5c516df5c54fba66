/** Fetches what the collector publishes along the chain of trust, and hands over what holds. */

import { get } from '../browser/http.ts';
import { wallMs } from '../clock.ts';
import { NAMED_BUNDLE } from '../core/operations.ts';
import type { Attempt } from '../driver/bundles.ts';
import type { Driving } from '../driver/driving.ts';
import { BLOCKED } from '../driver/state.ts';
import { unreachable } from '../driver/unreachable.ts';
import { AttuneError } from '../errors.ts';
import type { Settings } from '../options.ts';
import { openChain } from './chain.ts';
import { openMemory } from './memory.ts';

/** Key sets are asked for again because of an unknown key at most this often. */
const MIN_KEYS_INTERVAL_MS = 60_000;
/** Refusals that a newer key set may lift. */
const KEYS_CHANGED = ['bundle_unknown_key', 'bundle_expired'];
/** Shortest time after which a statement is renewed, however soon it ends. */
const MIN_RENEWAL_MS = 10_000;
/** How the bytes of a delta begin. */
const DELTA = 'ATND';

/** What is needed of the page; a preview has no more of one. */
export type KeeperDriving = Pick<
  Driving,
  'core' | 'heard' | 'input' | 'isBlocked' | 'isEnded' | 'member' | 'report' | 'storage' | 'taken' | 'url'
>;

/** Opens the chain of trust of these settings. Every attempt takes what is current as far as it holds. */
export async function openKeeper(driving: KeeperDriving, settings: Settings): Promise<Attempt> {
  const { core, input, member, report, url, taken, isEnded } = driving;
  const trust = settings.trust ?? '';
  const chain = await openChain({ ...settings, trust });
  const memory = openMemory(driving.storage, `attune/${settings.writeKey}/trust`, trust);
  let hasKeys = false;
  let keysAtMs = 0;
  /** Hash of the bundle in effect. */
  let held = '';
  let hasFailed = false;

  const fetchBytes = async (path: string, query = '', cache?: RequestCache) => {
    const { status, body } = driving.heard(await get(url(`/v1/bundle/${path}`) + query, cache)) ?? {};
    if (status === 200 && body) return body;
    if (status === 404) return undefined;
    throw unreachable(url(`/v1/bundle/${path}`), status);
  };
  const takeKeys = async () => {
    keysAtMs = performance.now();
    const bytes = await fetchBytes('keys');
    if (!bytes) {
      const message = `${url('/v1/bundle/keys')} has no key set, so nothing can be trusted that is published there; what is in effect stays`;
      throw new AttuneError('bundle_keys_missing', message);
    }
    memory.noteKeySet(await chain.takeKeys(bytes, memory.get()));
    hasKeys = true;
  };
  /** Judges again with newer keys where they may be what is missing. */
  const withKeys = async <Taken>(judge: () => Promise<Taken>): Promise<Taken> => {
    try {
      return await judge();
    } catch (refusal) {
      const isDue = performance.now() - keysAtMs >= MIN_KEYS_INTERVAL_MS;
      if (!isDue || !KEYS_CHANGED.includes((refusal as AttuneError).code)) throw refusal;
    }
    await takeKeys();
    return judge();
  };
  const takeDelta = async (hash: string) => {
    const bytes = await fetchBytes(hash, `&from=${held}`);
    if (!bytes) return undefined;
    try {
      return await withKeys(() => chain.takeBundle(bytes));
    } catch (refusal) {
      if (!isDelta(bytes)) throw refusal;
      const { code, message } = refusal as AttuneError;
      report(code, `${message}; it was a delta, and is asked for in full`);
      return undefined;
    }
  };
  const takeWhole = async (hash: string) => {
    // Its name is its content, so the browser's cache may answer, unless what it has was of no use.
    const bytes = await fetchBytes(hash, '', hasFailed ? 'reload' : 'default');
    // A collector that has just put another one into effect.
    if (!bytes) throw { ...unreachable(url(`/v1/bundle/${hash}`), 404), isUsage: false };
    return withKeys(() => chain.takeBundle(bytes));
  };
  const take = async () => {
    const asked = fetchBytes('current');
    // Where requests seem to be blocked, here or on an earlier page, one question tells enough.
    if (driving.isBlocked() || driving.storage.getItem(`attune/${settings.writeKey}/${BLOCKED}`)) await asked;
    const [statement] = await Promise.all([asked, hasKeys || takeKeys()]);
    // Where nothing has been published, a receipt or the stream will say when something has.
    if (!statement) return undefined;
    const named = await withKeys(() => chain.takeCurrent(statement, memory.get(), member()));
    memory.noteStatement(named.revision, named.issuedAtMs);
    if (named.hash !== held) {
      const envelope = (held && (await takeDelta(named.hash))) || (await takeWhole(named.hash));
      held = named.hash;
      await taken();
      if (!isEnded()) input(() => core(NAMED_BUNDLE, envelope), url('/v1/bundle'));
    }
    const leftMs = named.expiresMs - wallMs();
    return Math.max(MIN_RENEWAL_MS, leftMs * (0.5 + Math.random() / 4));
  };
  return async () => {
    try {
      const againMs = await take();
      hasFailed = false;
      return againMs;
    } catch (cause) {
      hasFailed = true;
      throw cause;
    }
  };
}

function isDelta(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, DELTA.length)) === DELTA;
}
