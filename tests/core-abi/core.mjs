/** `core.wasm` through the plain WebAssembly API: bytes in, bytes or numbers out, as docs/core-abi.md says. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const file = process.env.CORE_WASM ?? join(root, 'sdk-wasm/dist/core.wasm');
/** The compiled module. */
export const module = new WebAssembly.Module(readFileSync(file));
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The text of a file of the repository. */
export const read = (path) => readFileSync(join(root, path), 'utf8');

/** The numbered vectors of a file. */
export const vectors = (name) => JSON.parse(read(`tests/spec/${name}.json`));

/** What the core refused, by its code. */
export class CoreError extends Error {
  constructor({ error, message }) {
    super(`${error}: ${message}`);
    this.code = error;
  }
}

/** One instance; addresses and handles are unsigned. */
export class Core {
  // The empty object is the point: the module imports nothing.
  exports = new WebAssembly.Instance(module, {}).exports;

  /** Copies bytes or a text into a buffer and returns its address; 0 for no bytes, or where there is no room. */
  put(data) {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    const address = this.exports.buffer_new(bytes.length) >>> 0;
    if (address !== 0) new Uint8Array(this.exports.memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  /** Copies bytes or a text into the scratch and returns how many bytes there are. */
  scratch(data) {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    const address = this.exports.scratch(bytes.length) >>> 0;
    new Uint8Array(this.exports.memory.buffer, address, bytes.length).set(bytes);
    return bytes.length;
  }

  /** Reads an answer's bytes and frees it; none where there is no answer. */
  take(address) {
    if (address === 0) return new Uint8Array();
    const at = address >>> 0;
    const length = this.exports.buffer_length(at) >>> 0;
    const bytes = new Uint8Array(this.exports.memory.buffer, at, length).slice();
    this.exports.buffer_free(at);
    return bytes;
  }

  /** An answer in JSON. */
  json(address) {
    return JSON.parse(decoder.decode(this.take(address)));
  }

  /** An answer in JSON; throws the error that it is. */
  answer(address) {
    const answer = this.json(address);
    if (typeof answer?.error === 'string') throw new CoreError(answer);
    return answer;
  }

  /** A handle as it was given, or the error that was given instead of it or of a count. */
  opened(number) {
    if (number === 0 || number === -1) throw new CoreError(this.json(this.exports.last_error()));
    return number;
  }

  /** Whether each `[attributes, condition, groups]` holds; null for a case that cannot be read. */
  conditionsHold(cases) {
    const answers = this.take(this.exports.conditions_hold(this.put(JSON.stringify(cases))));
    return Array.from(answers, (byte) => [false, true][byte] ?? null);
  }

  /** How each condition stands to its document: `holds` and `wake_at`, or `error` and `at`. */
  conditionsJudge(cases) {
    return this.answer(this.exports.conditions_judge(this.put(JSON.stringify(cases))));
  }

  /** What `growthbook_feature` or `growthbook_run` answers to a vector, with the assignments it leaves. */
  growthbook(vector) {
    const { payload = {}, options, key, experiment } = vector;
    const handle = this.exports.growthbook_new(this.put(JSON.stringify(payload)));
    const refused = this.exports.growthbook_set(handle, this.put(JSON.stringify(options)));
    if (refused !== 0) throw new Error(JSON.stringify(this.json(refused)));
    const result = experiment
      ? this.json(this.exports.growthbook_run(handle, this.put(JSON.stringify(experiment))))
      : this.json(this.exports.growthbook_feature(handle, this.put(key)));
    const sticky = this.json(this.exports.growthbook_sticky(handle));
    this.exports.growthbook_free(handle);
    return { result, sticky };
  }
}

/** All condition vectors of files as cases of `conditions_judge`, with what they must give. */
export function judgedCases(files = [...CONDITIONS, '50-calendar']) {
  return files.flatMap((file) =>
    vectors(file).map(({ number, name, error, holds, wake_at, ...ask }) => ({
      title: `${file} ${number}: ${name}`,
      ask,
      expected: judgement({ error: error?.code, at: `/condition${error?.at}`, holds, wake_at }),
    })),
  );
}

/** An answer of `conditions_judge` without the text of a message, its instant in milliseconds. */
export function judgement({ error, at, holds, wake_at = null }) {
  return error ? { error, at } : { holds, wake_at: wake_at && Date.parse(wake_at) };
}

/** Condition vectors that need no visitor, as cases with what they must give. */
export function plainCases() {
  const cases = [];
  for (const file of CONDITIONS) {
    for (const vector of vectors(file)) {
      const { number, name, condition, document, groups = {}, segments, holds } = vector;
      const needsVisitor = segments || 'signals' in document || 'now' in document;
      if (holds === undefined || needsVisitor || JSON.stringify(condition).includes('"$path"')) continue;
      cases.push({ title: `${file} ${number}: ${name}`, ask: [document, condition, groups], holds });
    }
  }
  return cases;
}

const CONDITIONS = [
  '01-comparison',
  '02-coercion',
  '03-lists',
  '04-kinds',
  '05-versions',
  '06-texts',
  '07-numbers',
  '08-patterns',
  '09-names',
  '10-networks',
  '11-places',
  '12-keys',
];
