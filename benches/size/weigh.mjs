/** What bytes come to on the wire. */

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

/** Weighs a file: as it is, and compressed as much as can be. */
export function weigh(bytes) {
  return {
    raw_bytes: bytes.length,
    gzip_bytes: gzipSync(bytes, { level: 9 }).length,
    brotli_bytes: brotliCompressSync(bytes, BROTLI).length,
  };
}

/** Adds up what is loaded as files of their own. */
export function sum(weights) {
  const all = { raw_bytes: 0, gzip_bytes: 0, brotli_bytes: 0 };
  for (const weight of weights) for (const unit of Object.keys(all)) all[unit] += weight[unit];
  return all;
}
