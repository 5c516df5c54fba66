/** Gives the imports and exports of wasm-bindgen's WebAssembly short names, in the file and in its JavaScript alike. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The features that rustc uses for this target; wasm-opt refuses what it is not told of. */
const FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
];

/**
 * Writes `wasm` with short names to `output` and returns the JavaScript in `glue` that belongs to it.
 * `optimizer` is the file of wasm-opt.
 */
export function shorten({ optimizer, wasm, output, glue }) {
  const features = FEATURES.map((name) => `--enable-${name}`);
  const flags = [...features, '--minify-imports-and-exports-and-modules'];
  const text = execFileSync(process.execPath, [optimizer, wasm, ...flags, '-o', output], {
    encoding: 'utf8',
  });
  const { imports, exports } = JSON.parse(text);
  let code = readFileSync(glue, 'utf8');
  // The address is always given; a bundler would look for the file.
  code = replace(code, "new URL('attune_wasm_bg.wasm', import.meta.url)", 'undefined');
  code = replace(code, '"./attune_wasm_bg.js": import0', '"a": import0');
  const keys = new Map(imports.map(([, long, short]) => [long, short]));
  const members = new Map(exports);
  code = code.replace(/^( +)(\w+): function/gm, (whole, space, long) => {
    return keys.has(long) ? `${space}${keys.get(long)}: function` : whole;
  });
  return code.replace(/\bwasm\.(\w+)/g, (whole, long) => {
    return members.has(long) ? `wasm.${members.get(long)}` : whole;
  });
}

function replace(code, from, to) {
  if (!code.includes(from)) throw new Error(`wasm-bindgen's JavaScript does not contain ${from}`);
  return code.replace(from, to);
}
