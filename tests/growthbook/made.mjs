/** Attributes, experiments and features by chance, within the types that GrowthBook declares and with nulls. */

const TEXTS = [
  '',
  '1',
  'a',
  'user-7',
  'ü',
  'Ünïcode',
  '日本',
  '😀',
  '👩‍👩‍👧',
  'e\u0301',
  '\u0000',
  '__x',
  'ſ',
  '\ufeff',
];
const EXPERIMENTS = ['exp', 'e2', 'ü', '日本', 'a b', 'f1', 'f2'];
export const FEATURES = ['f1', 'f2', 'f3', 'f4', 'gone'];
const KEYS = ['0', 'b', 'ü'];

/** Every option as it is where nothing is said. */
export const NONE = {
  attributeOverrides: {},
  forcedVariations: {},
  forcedFeatureValues: {},
  overrides: {},
  groups: {},
  enabled: true,
  qaMode: false,
  stickyBucketAssignmentDocs: null,
};

/** Makes everything out of one chance. */
export class Made {
  constructor(chance) {
    this.chance = chance;
  }

  text() {
    const { chance } = this;
    return chance.one([
      ...TEXTS,
      () => `${chance.one(TEXTS)}${chance.below(1000)}`,
      () => String.fromCodePoint(...chance.some(6, () => this.point())),
    ]);
  }

  /** A code point that is no surrogate. */
  point() {
    const point = this.chance.one([
      () => this.chance.below(0x80),
      () => this.chance.below(0xd800),
      () => 0xe000 + this.chance.below(0x101fff),
    ]);
    return Math.min(point, 0x10ffff);
  }

  /** What may be hashed. */
  unit() {
    const { chance } = this;
    return chance.one([
      () => this.text(),
      () => this.text(),
      () => chance.below(1000),
      () => chance.number() * 10 ** (chance.below(50) - 25),
      () => -chance.number(),
      null,
      true,
      false,
      0,
      () => [1, null, this.text()],
      () => ({ a: [this.text()] }),
    ]);
  }

  scalar() {
    const { chance } = this;
    return chance.one([() => chance.below(4), 'red', 'green', true, false, null, 'ü']);
  }

  attributes() {
    const { chance } = this;
    return chance.fields(0.8, {
      id: () => this.unit(),
      deviceId: () => this.unit(),
      company: () => this.text(),
      plan: () => chance.one(['red', 'green', 'ü', null]),
      count: () => chance.below(5),
      flag: () => chance.happens(0.5),
    });
  }

  condition(depth = 2) {
    const { chance } = this;
    if (depth > 0 && chance.happens(0.3)) {
      const several = () => chance.some(3, () => this.condition(depth - 1));
      return chance.one([
        () => ({ $and: several() }),
        () => ({ $or: several() }),
        () => ({ $nor: several() }),
        () => ({ $not: this.condition(depth - 1) }),
      ]);
    }
    return chance.fields(0.5, {
      plan: () =>
        chance.one([
          'red',
          { $ne: 'green' },
          { $in: ['red', 'ü'] },
          { $nin: ['red'] },
          { $exists: true },
          { $regex: '^r' },
          { $regexi: 'RED$' },
          { $ini: ['RED', 'Ü'] },
          { $type: 'string' },
          { $vgt: '1.2' },
          { $nope: 1 },
          { $not: { $nope: 1 } },
          null,
        ]),
      count: () =>
        chance.one([2, { $gt: 1 }, { $lte: 3, $ne: 2 }, { $not: { $gte: 2 } }, { $exists: false }]),
      flag: () => chance.one([true, false, { $eq: true }]),
    });
  }

  /** A condition, or what stands for none. */
  anyCondition() {
    return this.chance.one([null, {}, () => this.condition(), () => this.condition()]);
  }

  parent() {
    const { chance } = this;
    const conditions = [
      null,
      {},
      { value: true },
      { value: 'red' },
      { value: { $ne: null } },
      { value: { $exists: true } },
      { value: { $in: [1, 2, 'ü'] } },
    ];
    return {
      id: chance.one(FEATURES),
      condition: chance.one(conditions),
      ...chance.fields(0.3, { gate: () => chance.happens(0.5) }),
    };
  }

  range() {
    const { chance } = this;
    const [from, until] = [chance.number(), chance.number()].map((end) => Math.round(end * 1e4) / 1e4);
    return chance.one([
      [0, 1],
      [0, 0.5],
      [0.5, 1],
      [from, until],
      () => [Math.min(from, until), Math.max(from, until)],
    ]);
  }

  filter() {
    const { chance } = this;
    return {
      seed: this.text(),
      ranges: chance.some(3, () => this.range()),
      ...chance.fields(0.5, {
        hashVersion: () => chance.one([0, 1, 2, 2, 3]),
        attribute: () => chance.one(['id', 'deviceId', 'company', '']),
      }),
    };
  }

  weights(count) {
    const { chance } = this;
    const random = Array.from({ length: count }, () => chance.number());
    const sum = random.reduce((sum, one) => sum + one, 0);
    return chance.one([
      null,
      [],
      [1],
      [0.5, 0.5],
      [0.34, 0.33, 0.33],
      [null, 1],
      [-0.5, 1.5],
      random,
      random.map((one) => one / sum),
      random.map((one) => (one / sum) * 1.0099),
      random.map((one) => (one / sum) * 0.98),
    ]);
  }

  meta() {
    const { chance } = this;
    return chance.fields(0.7, {
      key: () => chance.one(KEYS),
      name: () => chance.one(['', 'Name', '名']),
      passthrough: () => chance.happens(0.2),
    });
  }

  value() {
    const { chance } = this;
    return chance.one([
      () => this.scalar(),
      () => this.text(),
      () => chance.number() / 3,
      () => ({ a: [chance.number()] }),
      [],
      1e21,
      1.5e-9,
    ]);
  }

  /** How an experiment or a rule hashes. */
  hashing() {
    const { chance } = this;
    return chance.fields(0.4, {
      seed: () => this.text(),
      hashAttribute: () => chance.one(['id', 'deviceId', 'company', 'gone', '']),
      fallbackAttribute: () => chance.one(['deviceId', 'id', 'company', '']),
      hashVersion: () => chance.one([1, 2, 2, 0, 3, null]),
      disableStickyBucketing: () => chance.happens(0.3),
    });
  }

  /** What experiments and experiment rules share, for `count` variations. */
  trial(count) {
    const { chance } = this;
    const many = () => Array.from({ length: Math.max(count, 1) }, () => this.meta());
    return {
      ...this.hashing(),
      ...chance.fields(0.3, {
        coverage: () => chance.one([0, 1, 0.5, -1, 2, null, () => chance.number()]),
        weights: () => this.weights(count),
        ranges: () => chance.one([null, () => chance.some(4, () => this.range())]),
        namespace: () => chance.one([null, () => [this.text(), ...this.range()]]),
        filters: () => chance.one([null, () => chance.some(2, () => this.filter())]),
        condition: () => this.anyCondition(),
        name: () => this.text(),
        phase: () => chance.one(['0', '1']),
      }),
      ...chance.fields(0.5, {
        meta: () => chance.one([null, many, many, many]),
        bucketVersion: () => chance.one([0, 0, 0, 1, 2]),
        minBucketVersion: () => chance.one([0, 0, 0, 0, 1, 2]),
      }),
    };
  }

  experiment() {
    const { chance } = this;
    const count = chance.one([2, 2, 3, 4, 1, 0]);
    return {
      key: chance.one(EXPERIMENTS),
      variations: Array.from({ length: count }, () => this.value()),
      ...this.trial(count),
      ...chance.fields(0.1, {
        force: () => chance.below(4) - 1,
        active: () => chance.happens(0.5),
        status: () => chance.one(['draft', 'running', 'stopped']),
        groups: () => chance.some(2, () => chance.one(['staff', 'beta'])),
      }),
      ...chance.fields(0.2, {
        parentConditions: () => chance.some(2, () => this.parent()),
        urlPatterns: () => chance.some(3, () => this.target()),
      }),
    };
  }

  rule() {
    const { chance } = this;
    const count = chance.one([2, 2, 3, 1]);
    const kinds = chance.one([
      () => ({
        force: this.value(),
        ...this.hashing(),
        ...chance.fields(0.3, {
          range: () => chance.one([null, () => this.range()]),
          coverage: () => chance.one([0, 1, null, () => chance.below(1000) / 1000]),
        }),
      }),
      () => ({
        variations: Array.from({ length: count }, () => this.value()),
        ...this.trial(count),
        ...chance.fields(0.3, { key: () => chance.one(EXPERIMENTS) }),
      }),
      () => ({
        contextualVariations: Array.from({ length: count }, () => this.value()),
        ...this.trial(count),
        contextualBanditRef: chance.one(['bandit', 'gone']),
      }),
      () => chance.one([{}, { variations: null }, { hashAttribute: 'id' }]),
    ]);
    return {
      ...kinds,
      ...chance.fields(0.3, {
        id: () => chance.one(['', 'fr_1', 'ü']),
        condition: () => this.anyCondition(),
        parentConditions: () => chance.one([null, () => chance.some(2, () => this.parent())]),
        filters: () => chance.one([null, () => chance.some(2, () => this.filter())]),
      }),
    };
  }

  payload() {
    const { chance } = this;
    const feature = () =>
      chance.one([
        () =>
          chance.fields(0.8, {
            defaultValue: () => this.scalar(),
            rules: () => chance.one([null, () => chance.some(3, () => this.rule())]),
          }),
        () =>
          chance.fields(0.8, {
            defaultValue: () => this.value(),
            rules: () => chance.some(3, () => this.rule()),
          }),
      ]);
    const bandit = () => ({
      ...chance.fields(0.5, { banditVersion: () => chance.below(9) }),
      contexts: chance.some(2, () => ({
        leafId: chance.below(9),
        condition: this.condition(),
        weights: chance.one([
          [0.5, 0.5],
          [0.2, 0.8],
          [0.1, 0.2, 0.7],
        ]),
      })),
    });
    return {
      features: chance.fields(0.9, { f1: feature, f2: feature, f3: feature, f4: feature }),
      contextualBandits: chance.fields(0.8, { bandit }),
    };
  }

  documents(attributes) {
    const { chance } = this;
    const documents = {};
    for (const name of ['id', 'deviceId', 'company']) {
      if (chance.happens(0.2)) continue;
      const value = attributes[name] || '';
      const attributeValue = typeof value === 'string' ? value : JSON.stringify(value);
      const assignments = {};
      for (const key of EXPERIMENTS)
        if (chance.happens(0.5)) assignments[`${key}__${chance.one([0, 0, 1])}`] = chance.one(KEYS);
      documents[`${name}||${attributeValue}`] = { attributeName: name, attributeValue, assignments };
    }
    return documents;
  }

  options() {
    const { chance } = this;
    const attributes = this.attributes();
    return {
      attributes,
      url: this.url(),
      ...chance.fields(0.1, {
        attributeOverrides: () => this.attributes(),
        forcedVariations: () => ({ [chance.one(EXPERIMENTS)]: chance.below(5) - 1 }),
        forcedFeatureValues: () => ({ [chance.one(FEATURES)]: this.scalar() }),
        enabled: () => chance.happens(0.5),
        qaMode: () => chance.happens(0.5),
        groups: () => ({ staff: true, beta: false }),
        overrides: () => ({
          [chance.one(EXPERIMENTS)]: chance.fields(0.3, {
            coverage: () => chance.number(),
            status: () => chance.one(['draft', 'stopped']),
            force: () => chance.below(2),
            condition: () => this.condition(),
            weights: () => this.weights(2),
          }),
        }),
      }),
      ...chance.fields(0.5, { stickyBucketAssignmentDocs: () => this.documents(attributes) }),
    };
  }

  url() {
    const { chance } = this;
    const origins = [
      '',
      'https://shop.example',
      'http://Shop.example:80',
      'https://a.b.shop.example:8443',
      '//x.example',
      'shop://home',
      'http://10.0.0.1',
    ];
    const paths = ['', '/', '/sale', '/Sale/hats/', '/a/../b', '/ü/日本', '/a b', '/%7b{', '/x//y', '\\back'];
    const queries = [
      '',
      '?a=1',
      '?exp=1',
      '?ü=0',
      '?b=2&a=%31',
      '?a=+x&exp=0x1',
      '?e2=',
      '?exp=-0&exp=1',
      '?q=ü&a',
    ];
    const fragments = ['', '#', '#top', '#ü', '#a?exp=1'];
    return [origins, paths, queries, fragments].map((choices) => chance.one(choices)).join('');
  }

  target() {
    const { chance } = this;
    const simple = () =>
      chance.one([
        '*',
        '/sale*',
        'sale/',
        '*.example/*',
        '*shop.example/',
        'shop.example:8443/*',
        'http://*/a?b',
        '/*?a=1',
        '*?q=ü',
        '*#top',
        '*#*',
        '/ü/*',
        '/b',
        '*/x//y/',
        'https://',
        '',
        '/A B',
        () => this.url(),
      ]);
    const regex = () => chance.one(['sale', '^https', '/a.b', '[', '\\?a=\\d', '^/sale', 'shop/x|b$']);
    const target = chance.one([
      () => ({ type: 'simple', pattern: simple() }),
      () => ({ type: 'simple', pattern: simple() }),
      () => ({ type: 'regex', pattern: regex() }),
      { type: 'other', pattern: '*' },
    ]);
    return { include: chance.happens(0.7), ...target };
  }
}
