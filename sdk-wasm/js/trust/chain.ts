/** The chain of trust in WebAssembly, which judges; its questions about signatures and hashes go to the browser. */

import { type Ed25519, openEd25519 } from '../browser/ed25519.ts';
import { wallMs } from '../clock.ts';
import type { CoreExports } from '../core/core.ts';
import { type Read, readerOf } from '../core/reader.ts';
import { write } from '../core/writer.ts';
import { loadCore } from '../core-loading.ts';
import { AttuneError } from '../errors.ts';
import type { Known } from './memory.ts';

/** Operations, as `docs/trust.md` numbers them. */
const START = 0;
const KEYS = 1;
const CURRENT = 2;
const BUNDLE = 3;
/** What an output begins with; what is neither is what was taken. */
const REFUSED = 0;
const SIGNATURE = 1;
const HASH = 2;

/** What the page asks for. */
export interface Terms {
  trust: string;
  project?: string | undefined;
  environment?: string | undefined;
}

/** What a statement says. */
export interface Named {
  revision: number;
  issuedAtMs: number;
  expiresMs: number;
  /** SHA-256 of the bundle's envelope, in hexadecimal digits. */
  hash: string;
}

/** Takes one link after the other, or throws an {@link AttuneError} with the code of the refusal. */
export interface Chain {
  /** Takes a key set; returns its revision. */
  takeKeys(bytes: Uint8Array, known: Known): Promise<number>;
  /** Takes a statement, for the unit. */
  takeCurrent(bytes: Uint8Array, known: Known, unit: string): Promise<Named>;
  /** Takes the bundle that the statement names, in full or as a delta; returns its whole envelope. */
  takeBundle(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Loads the module that fits what the browser has. */
export async function openChain({ trust, project, environment }: Terms): Promise<Chain> {
  const crypto = await openEd25519();
  const exports = await loadCore(
    crypto
      ? new URL(ATTUNE_TRUST_WASM, import.meta.url).href
      : new URL(ATTUNE_VERIFIER_WASM, import.meta.url).href,
  );
  const judge = judgeOf(exports, crypto);
  const keys = Array.from(trust.matchAll(/:([\w-]{43})/g), ([, text = '']) => bytesOf(text));
  const raw = 'r'.repeat(keys.length);
  await judge('', START, `n${raw}?t?t`, keys.length, ...keys, project, environment);
  return {
    async takeKeys(bytes, [, , keySet]) {
      const read = await judge('the key set', KEYS, '?(nf)tr', [keySet, 0], '', bytes);
      return read('n')?.[0] as number;
    },
    async takeCurrent(bytes, [known, issuedAt], unit) {
      const what = 'the statement of what is current';
      const read = await judge(what, CURRENT, '?(nf)tr', [known, issuedAt], unit, bytes);
      const [revision, issuedAtMs, expiresMs, , hash] = read('nffny') as [
        number,
        number,
        number,
        number,
        Uint8Array,
      ];
      return { revision, issuedAtMs, expiresMs, hash: digitsOf(hash) };
    },
    async takeBundle(bytes) {
      const read = await judge('the bundle', BUNDLE, '?(nf)tr', undefined, '', bytes);
      return read('y')?.[0] as Uint8Array;
    },
  };
}

type Judge = (what: string, operation: number, form: string, ...fields: unknown[]) => Promise<Read>;

function judgeOf({ memory, input, call, output }: CoreExports, crypto: Ed25519 | undefined): Judge {
  return async (what, operation, form, ...fields) => {
    const now = wallMs();
    // Every question adds an answer, and the judgement begins anew with all of them.
    for (const answers: number[] = []; ; ) {
      const bytes = write(`fy${form}`, [now, Uint8Array.from(answers), ...fields]);
      const at = input(bytes.length);
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      const length = call(operation, bytes.length);
      const read = readerOf(new Uint8Array(memory.buffer, output(), length).slice());
      const kind = read('b')?.[0];
      if (kind === REFUSED) {
        const [code, message] = read('tt') as [string, string];
        throw new AttuneError(code, `${what} is refused: ${message}; what is in effect stays`);
      }
      if (!crypto || (kind !== SIGNATURE && kind !== HASH)) return read;
      if (kind === SIGNATURE) {
        const signed = read('yyy') as Parameters<Ed25519['verify']>;
        answers.push(Number(await crypto.verify(...signed)));
      } else {
        const [whole] = read('y') as Parameters<Ed25519['hash']>;
        answers.push(...(await crypto.hash(whole)));
      }
    }
  };
}

/** The bytes of base64 in the form for addresses. */
function bytesOf(text: string): Uint8Array {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

function digitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
