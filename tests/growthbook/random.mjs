/** Random conditions and attributes, the same for the same seed. */

/** Numbers from 0 to 1, by xorshift (Marsaglia, "Xorshift RNGs", 2003), which needs a seed other than 0. */
export function generator(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const TEXTS = [
  ...[
    '',
    'a',
    'A',
    'b',
    'pro',
    'Pro',
    'ü',
    'Ü',
    'straße',
    'STRASSE',
    '日本',
    '😀',
    'é',
    'É',
    'ναί',
    'ΝΑΊ',
    '\ue000',
    '\ufb00',
  ],
  ...[
    'null',
    'true',
    'false',
    'undefined',
    '[object Object]',
    'a,b',
    '1,2',
    ',',
    'NaN',
    'Infinity',
    '-Infinity',
  ],
  ...[
    '0',
    '1',
    '-1',
    '10',
    '9',
    '2.5',
    '2.50',
    '1e3',
    '1000',
    '0x10',
    '0X1f',
    '0b11',
    '0o17',
    '-0',
    '-0x1',
    ' 5 ',
    '5.',
    '.5',
    '+5',
  ],
  ...[
    '1_000',
    '\u00a07',
    '\ufeff7',
    '7\u2029',
    '\u00857',
    '5px',
    '--5',
    '1e400',
    '12345678901234567890',
    '0.1',
    '00',
    '-00.50',
  ],
  ...[
    '1.2.3',
    'v1.2.3',
    '1.2.3-beta',
    '1.2.3-beta.2',
    '1.2.3-rc.1+build.7',
    '1.10.0',
    '1.9.0',
    '1.2',
    '2',
    'v2',
    '10.0',
    '1.2.3.4',
  ],
  ...[
    'V1.2.3',
    '1.2.3+a',
    '1.2.3-',
    '-',
    '.',
    '+',
    '123456.0.0',
    '99999.0.0',
    '1.ü.3',
    'alpha',
    '1.2.3-Alpha',
    '1.2.3-10',
    '1.2.3-9',
  ],
  ...[
    'https://a.example/p?q=1#x',
    'foo/bar',
    'foo.bar',
    'Foo Bar',
    '2026-11-20',
    '10.0.0.1',
    'mail@a.example',
    'line\nbreak',
  ],
];
const NUMBERS = [
  0, -0, 1, -1, 2, 3, 5, 7, 9, 10, 15, 16, 31, 1000, 2.5, -2.5, 0.1, 0.5, 1.25, 1e9, 12345678,
  9007199254740991, 1.2,
];
const NAMES = ['a', 'b', 'c', 'ü', 'id', 'tags', 'deep', '0', '1', 'x-y', '$a'];
const PATTERNS = [
  ...[
    '^a',
    'a$',
    'pro',
    '^[a-z]+$',
    '[0-9]{2,}',
    '\\d+\\.\\d+',
    '^(foo|bar)',
    'ü',
    '[ü-ÿ]',
    '^.$',
    '^..$',
    '\\bbar\\b',
    'foo/bar',
    'foo\\/bar',
  ],
  ...[
    'null',
    '^$',
    '',
    'a|b',
    '日',
    '^\\S+@\\S+$',
    '^https?://[^/]+/',
    '(',
    '[',
    '*',
    'a{2,1}',
    '\\u00fc',
    '[^\\x00-\\x7f]',
    'e',
    'object',
    ',',
  ],
];
const TYPES = ['string', 'number', 'boolean', 'array', 'object', 'null', 'undefined', 'unknown', 'String'];
const COMPARISONS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'];
const VERSIONS = ['$veq', '$vne', '$vgt', '$vgte', '$vlt', '$vlte'];
const LISTS = ['$in', '$nin', '$ini', '$nini', '$all', '$alli'];
export const GROUPS = {
  texts: ['a', 'pro', 'ü', '1', 'true'],
  numbers: [1, 2, 5, 10],
  mixed: ['1', 1, null, true, ['a'], { a: 1 }],
  none: [],
  list: { type: 'list', attributeKey: 'a', values: ['a', 'pro', 1, null] },
  bare: { type: 'list', values: ['a', 1] },
  broken: { type: 'list', attributeKey: 'a', values: 'a' },
  pros: { type: 'condition', condition: { a: { $in: ['pro', 'Pro'] } } },
  nested: { type: 'condition', condition: { $or: [{ $savedGroup: { id: 'pros' } }, { b: { $gt: 3 } }] } },
  cycle: { type: 'condition', condition: { $not: { $savedGroup: { id: 'cycle' } } } },
  later: { type: 'percentage' },
  odd: 7,
};

/** What draws conditions, attributes and groups. */
export class Draw {
  constructor(seed) {
    this.random = generator(seed);
  }

  below(count) {
    return Math.floor(this.random() * count);
  }

  one(list) {
    return list[this.below(list.length)];
  }

  many(most, draw) {
    return Array.from({ length: this.below(most + 1) }, draw);
  }

  /** Any JSON value, nested so deep at most. */
  value(depth = 2) {
    const kind = this.below(depth > 0 ? 12 : 8);
    if (kind < 4) return this.one(TEXTS);
    if (kind < 6) return this.one(NUMBERS);
    if (kind === 6) return this.random() < 0.5;
    if (kind === 7) return null;
    if (kind < 11) return this.many(3, () => this.value(depth - 1));
    return this.fields(depth - 1);
  }

  fields(depth) {
    return Object.fromEntries(this.many(3, () => [this.one(NAMES), this.value(depth)]));
  }

  attributes() {
    const fields = NAMES.slice(0, 7).filter(() => this.random() < 0.8);
    return Object.fromEntries(fields.map((name) => [name, this.value(3)]));
  }

  path() {
    const steps = [this.one(NAMES.slice(0, 7))];
    while (this.random() < 0.25) steps.push(this.one([...NAMES, 'length']));
    return steps.join('.');
  }

  condition(depth) {
    const keys = this.random() < 0.7 ? 1 : this.below(4);
    return Object.fromEntries(Array.from({ length: keys }, () => this.clause(depth)));
  }

  clause(depth) {
    const kind = this.below(depth > 0 ? 14 : 9);
    if (kind < 9) return [this.path(), this.test(2)];
    const conditions = () => this.many(3, () => this.condition(depth - 1));
    if (kind === 9) return ['$and', conditions()];
    if (kind === 10) return ['$or', conditions()];
    if (kind === 11) return ['$nor', conditions()];
    if (kind === 12) return ['$not', this.condition(depth - 1)];
    return ['$savedGroup', this.reference()];
  }

  reference() {
    const id = this.one([...Object.keys(GROUPS), 'unknown']);
    const kind = this.below(8);
    if (kind < 5) return { id };
    return kind === 5
      ? { id, attributeKey: this.path() }
      : this.one([id, null, { id: 7 }, { id, attributeKey: 7 }, [id]]);
  }

  /** What must hold of a value: a literal or operators. */
  test(depth) {
    if (this.random() < 0.25) return this.value(2);
    const count = this.random() < 0.8 ? 1 : 2;
    return Object.fromEntries(Array.from({ length: count }, () => this.operator(depth)));
  }

  operator(depth) {
    const kind = this.below(depth > 0 ? 22 : 17);
    if (kind < 5) return [this.one(COMPARISONS), this.value(2)];
    if (kind < 8) return [this.one(VERSIONS), this.random() < 0.8 ? this.one(TEXTS) : this.value(1)];
    if (kind < 10) return [this.one(LISTS.slice(0, 4)), this.list()];
    if (kind === 10) return ['$exists', this.random() < 0.8 ? this.random() < 0.5 : this.value(1)];
    if (kind === 11) return ['$type', this.one(TYPES)];
    if (kind < 14)
      return [
        this.one(['$regex', '$regexi']),
        this.random() < 0.9 ? this.one(PATTERNS) : this.one([7, true, {}]),
      ];
    if (kind < 16)
      return [this.one(['$inGroup', '$notInGroup']), this.one([...Object.keys(GROUPS), 'unknown', 7, null])];
    if (kind === 16) return [this.one(['$unknown', '$startWith', '$', '$Eq']), this.value(1)];
    if (kind === 17) return ['$not', this.test(depth - 1)];
    if (kind === 18) return ['$size', this.random() < 0.6 ? this.below(4) : this.test(depth - 1)];
    if (kind < 21) {
      const items = () => this.many(3, () => this.test(depth - 1));
      return [this.one(LISTS.slice(4)), this.random() < 0.95 ? items() : this.value(1)];
    }
    return ['$elemMatch', this.random() < 0.5 ? this.test(depth - 1) : this.condition(1)];
  }

  list() {
    return this.random() < 0.95 ? this.many(5, () => this.value(1)) : this.value(1);
  }
}
