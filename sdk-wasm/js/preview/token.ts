/** The token of a preview: what it says, once its signature holds by a key of the collector's key set. */

import { openEd25519 } from '../browser/ed25519.ts';
import { wallMs } from '../clock.ts';
import type { Json } from '../context.ts';
import { readerOf, textOf } from '../core/reader.ts';
import { AttuneError } from '../errors.ts';
import { fieldsOf, parseJson } from '../json.ts';

/** What a signature of a preview covers before the rest. */
const MAGIC = Uint8Array.of(...[...'ATNP'].map((sign) => sign.charCodeAt(0)), 1);

/** What a link to a preview says. */
export interface Said {
  expiresMs: number;
  /** Rules that fill their slots, by id. */
  rules: string[];
  /** Places of variations by experiment. */
  variations: Record<string, number>;
  /** Fields of the page's context. */
  context: Record<string, Json>;
}

/** Reads a token; throws an {@link AttuneError} that says why it does not hold. */
export async function verifyToken(token: string, keySet: Uint8Array): Promise<Said> {
  const crypto = await openEd25519();
  if (!crypto) throw refused('the browser has no Ed25519, or the page is not served securely');
  const [payload, signature] = token.split('.').map(bytesOf);
  if (!payload || !signature) throw refused('the token is damaged');
  const read = readerOf(keySet);
  const entry = `(t${'b'.repeat(32)}?n?n)`;
  const found = read(`bbbbbtn?nt*${entry}`) ?? [];
  const now = wallMs();
  const signed = Uint8Array.of(...MAGIC, ...payload);
  const isSigned = await Promise.all(
    (found.at(-1) as unknown[][]).map(([, ...entry]) => {
      const [from, until] = entry.slice(32) as (number | undefined)[];
      const isDue =
        (from === undefined || instant(from) <= now) && (until === undefined || now < instant(until));
      return isDue && crypto.verify(Uint8Array.from(entry.slice(0, 32) as number[]), signature, signed);
    }),
  );
  if (!isSigned.includes(true)) throw refused('no key of the key set has signed it');
  const said = fieldsOf(parseJson(textOf(payload)));
  const { project, expires, rules, variations, context } = said;
  if (project !== found[5]) throw refused(`it is for project ${project}, the key set for ${found[5]}`);
  if (typeof expires !== 'number' || expires <= now) throw refused('its time is over');
  return {
    expiresMs: expires,
    rules: (rules ?? []) as string[],
    variations: fieldsOf(variations) as Said['variations'],
    context: fieldsOf(context) as Said['context'],
  };
}

/** The error of a preview that is none. */
export function refused(why: string): AttuneError {
  return new AttuneError('preview_refused', `the preview is not shown: ${why}`, 'usage');
}

/** A signed number in the form of envelopes. */
function instant(zigzag: number): number {
  return zigzag % 2 ? -(zigzag + 1) / 2 : zigzag / 2;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
