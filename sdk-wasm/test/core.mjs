/**
 * A stand-in for the core: speaks the byte interface, numbers events, sends what it has kept in one batch, and does
 * what a test tells it beside that. It decides nothing.
 */

import { load } from './load.mjs';

const { readerOf } = await load('core/reader.ts');
const { write } = await load('core/writer.ts');

const OUTPUT_AT = 1 << 20;
const STACK_TOP = 4_096;
const OPERATIONS = [
  ['start', 'tuu'],
  ['restore', '?y?y?t*(tun)'],
  ['storedEvent', 'bbtunutfun?(nv)'],
  ['track', 'utfubn?(nv)'],
  ['identify', 'ttu'],
  ['reset', 'tuu'],
  ['follow', 'tuu'],
  ['lane', 'u'],
  ['context', 'nv'],
  ['bundle', ''],
  ['profile', ''],
  ['gap', ''],
  ['outcome', 'bbbbbbbbnb'],
  ['wake', ''],
  ['online', 'b'],
  ['farewell', 'b'],
  ['poll', ''],
  ['signal', 't?t'],
  ['inspect', ''],
  ['matches', '*b'],
  ['consent', 'b'],
  ['namedBundle', ''],
  ['inShare', 'tn'],
  ['news', 'bbbbbbbbb'],
  ['forget', 'tuu'],
];
const OUTCOMES = ['', 'n?f*n', 'nf*(ub)'];
const EFFECTS = {
  kept: [1, 'n'],
  settled: [2, 'un'],
  forgotten: [3, 'un'],
  put: [4, 'by'],
  delete: [5, 'b'],
  laneForgotten: [6, 'u'],
  shown: [8, 'tt'],
  sender: [9, 'tu'],
  refused: [10, 'tnn'],
  request: [11, 'ntub*(un)*(btunn)nnn'],
  wait: [12, 'f'],
  wake: [13, 'f'],
  answer: [14, 'v'],
  failed: [15, 't'],
  unreadable: [16, 'b'],
  inspection: [17, '*(tb*t)nnnnbn'],
  exposed: [18, 'uttn'],
  match: [19, 't'],
  expired: [20, ''],
  policy: [23, 'y'],
  blocked: [21, 'b'],
  revision: [24, 'n'],
  probe: [25, ''],
};

/** What a first file carries out without the rest. */
const FIRST = ['start', 'restore', 'context', 'bundle', 'wake', 'consent', 'namedBundle'];

/** A core whose calls are kept in `calls` as `[name, ...fields]`. */
export class FakeCore {
  /** Whether the rest is still to come: what needs it traps half way. */
  isShort = false;
  calls = [];
  /** Effects, as `[name, ...fields]`, that the next call of an operation gives. */
  script = new Map();
  member;
  lane;
  seq = 0;
  waiting = [];
  requests = 0;
  #input = new Uint8Array();
  #output = new Uint8Array();

  /** What stands for the exports of the WebAssembly file. */
  get exports() {
    const core = this;
    let buffer = new ArrayBuffer(2 * OUTPUT_AT);
    const stack = { value: STACK_TOP };
    return {
      stack: this.isShort ? stack : undefined,
      memory: {
        get buffer() {
          return buffer;
        },
      },
      // Memory that grows at every call: whoever keeps a view of it is found out.
      input() {
        buffer = new ArrayBuffer(2 * OUTPUT_AT);
        return 64;
      },
      call(operation, length) {
        if (stack.value !== STACK_TOP) throw new Error('the stack has not been put back');
        if (core.isShort && !FIRST.includes(OPERATIONS[operation][0])) {
          stack.value -= 48;
          new Uint8Array(buffer).fill(7, 0, 64);
          throw new WebAssembly.RuntimeError('null function');
        }
        core.#input = new Uint8Array(buffer, 64, length).slice();
        const before = new Uint8Array(buffer);
        core.#output = core.#answer(operation);
        buffer = new ArrayBuffer(2 * OUTPUT_AT);
        new Uint8Array(buffer).set(before.subarray(0, 64));
        new Uint8Array(buffer).set(core.#output, OUTPUT_AT);
        return core.#output.length;
      },
      output: () => OUTPUT_AT,
    };
  }

  /** Calls of an operation. */
  of(name) {
    return this.calls.filter(([called]) => called === name);
  }

  /** Says what the next call of an operation gives beside its own. */
  next(name, ...effects) {
    this.script.set(name, effects);
  }

  #answer(operation) {
    const [name, form] = OPERATIONS[operation];
    const read = readerOf(this.#input);
    const [wall, monotonic] = read('ff');
    if (!(wall > 1e12) || !(monotonic >= 0)) throw new Error(`times are ${wall} and ${monotonic}`);
    let fields = form ? read(form) : [];
    if (name === 'outcome') {
      const more = OUTCOMES[fields[9]];
      fields = [...fields.slice(8), ...(more ? read(more) : [])];
    } else if (['bundle', 'namedBundle', 'profile'].includes(name)) fields = [this.#input.slice(16)];
    else if (name !== 'news' && read('b')) throw new Error(`${name}: bytes are left over`);
    this.calls.push([name, ...fields]);
    const own = this[`on_${name}`]?.(...fields) ?? [];
    const told = this.script.get(name) ?? [];
    this.script.delete(name);
    const ends = ['signal', 'inspect', 'poll', 'storedEvent'].includes(name) ? [] : [['wake', 0]];
    return Uint8Array.from([...own, ...told, ...ends].flatMap((effect) => [...encode(effect)]));
  }

  on_start(member, lane) {
    Object.assign(this, { member, lane });
    return [['revision', 7]];
  }

  on_storedEvent(_priority, settled, _member, lane, seq) {
    if (!settled) this.waiting.push([lane, seq]);
  }

  on_track(_id, type) {
    if (type === 'refused') return [['refused', 'metadata_too_large', 40112, 31744]];
    this.seq += 1;
    this.waiting.push([this.lane, this.seq]);
    return [['kept', this.seq]];
  }

  on_restore(_base, _latches, _user, lanes) {
    return lanes.map(([, lane]) => ['laneForgotten', lane]);
  }

  on_identify(user) {
    return [['put', 2, new TextEncoder().encode(user)]];
  }

  on_reset(member, lane) {
    return [['delete', 2], ...this.#become(member, lane)];
  }

  on_follow(member, lane) {
    return this.#become(member, lane);
  }

  on_forget(member, lane) {
    this.waiting = [];
    return this.#become(member, lane);
  }

  on_lane(lane) {
    return this.#become(this.member, lane);
  }

  on_poll() {
    if (this.waiting.length === 0 || this.inFlight) return [['wait', 0]];
    this.inFlight = this.waiting.splice(0);
    this.requests += 1;
    return [this.#request(this.requests, this.inFlight)];
  }

  on_farewell() {
    return this.waiting.length > 0 ? [this.#request(0, this.waiting)] : [];
  }

  on_outcome(_request, kind) {
    const landed = this.inFlight ?? [];
    this.inFlight = undefined;
    if (kind === 2) return landed.map((number) => ['settled', ...number]);
    this.retrying = landed;
    return [];
  }

  on_inspect() {
    return [
      [
        'inspection',
        [
          ['views', 1, ['hats', 'bags', 'hats']],
          ['cart_at', 0, []],
        ],
        1,
        300,
        0,
        2,
        1,
        7,
      ],
    ];
  }

  #request(id, events) {
    return ['request', id, this.member, this.lane, 1, events, [], 0, 0, 0];
  }

  #become(member, lane) {
    Object.assign(this, { member, lane, seq: 0 });
    return [['sender', member, lane]];
  }
}

/** A decision as an effect; actions as `[kind, form, ...fields]`. */
export function decision(slot, filling) {
  return { slot, filling };
}

function encode(effect) {
  if (!Array.isArray(effect)) return encodeDecision(effect);
  const [name, ...fields] = effect;
  const [kind, form] = EFFECTS[name];
  return write(`b${form}`, [kind, ...fields]).slice();
}

function encodeDecision({ slot, filling }) {
  if (!filling) return write('btb', [7, slot, 0]).slice();
  const { rule, key, reason = 0, since = 0, actions = [] } = filling;
  const head = write('btbt?tbfn', [7, slot, 1, rule, key, reason, since, actions.length]).slice();
  const rest = actions.flatMap(([kind, form, ...fields]) => [...write(`b${form}`, [kind, ...fields])]);
  return [...head, ...rest];
}
