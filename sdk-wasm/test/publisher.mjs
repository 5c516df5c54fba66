/** A collector in small that publishes along the chain of trust, and whatever else a test makes of it. */

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { load } from './load.mjs';

const { write } = await load('core/writer.ts');
const encoder = new TextEncoder();
/** What stands before the 32 bytes of a secret key in PKCS #8. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Statements and keys of the tests live for an hour. */
export const HOUR_MS = 3_600_000;

/** An Ed25519 key pair of a number. */
export function keyOf(number) {
  const der = Buffer.concat([PKCS8, Buffer.alloc(32, number)]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(secret).export({ format: 'jwk' });
  const raw = Buffer.from(x, 'base64url');
  return { secret, raw, text: `ed25519:${x}`, id: raw.toString('hex').slice(0, 16) };
}

/** Keys of every test: one that is trusted, one that signs, and one that nobody has named. */
export const [TRUSTED, SIGNING, STRANGER] = [1, 2, 3].map(keyOf);

/** SHA-256 in hexadecimal digits. */
export function hashOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A key set; its keys may end. */
export function keySet(fields = {}) {
  const { by = TRUSTED, project = 'shop', revision = 1, expires, keys = [SIGNING] } = fields;
  const entries = keys.map(({ id, raw, expires: end }) => [id, raw, undefined, time(end)]);
  const head = [magic('ATNK'), 1, project, revision, time(expires), by.id, entries];
  return signed(by, 'rbtn?nt*(tr?n?n)', head);
}

/** An envelope around any body. */
export function envelope(fields = {}) {
  const {
    by = SIGNING,
    project = 'shop',
    environment = 'live',
    revision = 1,
    expires,
    body = 'rules',
  } = fields;
  const head = [magic('ATNB'), 1, project, environment, revision, undefined, undefined, time(expires), by.id];
  return signed(by, 'rbttn?r?n?nty', [...head, encoder.encode(body)]);
}

/** A statement that names an envelope, and a candidate for a share of all units. */
export function statement(bundle, fields = {}) {
  const { by = SIGNING, project = 'shop', environment = 'live', revision = 1, candidate } = fields;
  const { issuedAt = Date.now(), expires = Date.now() + HOUR_MS } = fields;
  const trial = candidate && [candidate.revision, raw(candidate.bundle), candidate.share, 'seed'];
  const head = [magic('ATNC'), 1, project, environment, revision, raw(bundle), trial];
  return signed(by, 'rbttnr?(nrnt)nnt', [...head, time(issuedAt), time(expires), by.id]);
}

/** A delta: what both begin with is copied. */
export function delta(from, to) {
  const differs = to.findIndex((byte, at) => byte !== from[at]);
  const shared = differs < 0 ? Math.min(from.length, to.length) : differs;
  const head = [magic('ATND'), 1, raw(from), to.length, new Uint8Array()];
  return write('rbrnynny', [...head, 0, shared, to.subarray(shared)]).slice();
}

/** The same bytes with one bit turned. */
export function damaged(bytes, at = Math.floor(bytes.length / 2)) {
  const copy = bytes.slice();
  copy[at] ^= 1;
  return copy;
}

/**
 * Answers for what is below `/v1/bundle/`: `keys`, `current` and `bundles` as they stand when they are asked for, `deltas`
 * by the hash they start from.
 */
export class Publisher {
  keys = keySet();
  current;
  bundles = [];
  deltas = {};
  /** Paths that were asked for. */
  asked = [];

  /** Publishes a bundle as what is current. */
  publish(fields = {}, about = {}) {
    const bundle = envelope(fields);
    this.bundles.push(bundle);
    this.current = statement(bundle, { revision: fields.revision ?? 1, ...about });
    return bundle;
  }

  answer(url) {
    const { pathname, searchParams } = new URL(url);
    const name = pathname.replace('/v1/bundle/', '');
    this.asked.push(name.length === 64 ? 'hash' : name);
    const bytes = this.#bytes(name, searchParams.get('from'));
    return bytes ? new Response(bytes) : new Response('', { status: 404 });
  }

  #bytes(name, from) {
    if (name === 'keys') return this.keys;
    if (name === 'current') return this.current;
    return (
      this.deltas[from] ?? this.bundles.find((bundle) => hashOf(bundle) === name || bundle.answers === name)
    );
  }
}

function signed(by, form, fields) {
  const sealed = write(form, fields).slice();
  return Buffer.concat([sealed, sign(null, sealed, by.secret)]);
}

function magic(text) {
  return encoder.encode(text);
}

function raw(bundle) {
  return createHash('sha256').update(bundle).digest();
}

/** Times are zigzag numbers. */
function time(ms) {
  return ms === undefined ? undefined : 2 * ms;
}
