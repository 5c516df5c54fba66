/** Gzip through the browser's own compressor. */

/** Bodies of more bytes are compressed. */
const COMPRESS_ABOVE_BYTES = 1_024;

/** Compresses a body where that is worth waiting for. */
export async function pack(plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return (plain.length > COMPRESS_ABOVE_BYTES && (await gzip(plain))) || plain;
}

/** Compresses bytes; nothing where the browser cannot. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
    return new Uint8Array(await new Response(compressed).arrayBuffer());
  } catch {
    return undefined;
  }
}
