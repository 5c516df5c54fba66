/** Ed25519 and SHA-256 of the browser, where it has both: older ones, and pages without TLS, have not. */

/** A point that every implementation takes as a public key: the base point of the curve. */
const BASE_POINT = Uint8Array.of(0x58, ...Array(31).fill(0x66));

/** Bytes that the browser's functions take. */
type Bytes = Uint8Array<ArrayBuffer>;

/** What is needed of WebCrypto. */
export interface Ed25519 {
  /** Whether a signature by a public key covers these bytes; a key that is none has signed nothing. */
  verify(key: Bytes, signature: Bytes, bytes: Bytes): Promise<boolean>;
  /** The SHA-256 of these bytes. */
  hash(bytes: Bytes): Promise<Uint8Array>;
}

/** Tries the browser's functions once. */
export async function openEd25519(): Promise<Ed25519 | undefined> {
  const { subtle } = globalThis.crypto ?? {};
  const verify = async (key: Bytes, signature: Bytes, bytes: Bytes) => {
    const imported = await subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return subtle.verify('Ed25519', imported, signature, bytes);
  };
  try {
    await verify(BASE_POINT, new Uint8Array(64), new Uint8Array());
  } catch {
    return undefined;
  }
  return {
    verify: (...signed) => verify(...signed).catch(() => false),
    hash: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes)),
  };
}
