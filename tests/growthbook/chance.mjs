/** Chance that repeats: the same seed gives the same draws on every machine. Source: Tommy Ettinger's mulberry32. */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to but not including 1. */
  number() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to but not including `end`. */
  below(end) {
    return Math.floor(this.number() * end);
  }

  /** True in `share` of all cases. */
  happens(share) {
    return this.number() < share;
  }

  /** One of a list; a function in it is called for what it makes. */
  one(choices) {
    const chosen = choices[this.below(choices.length)];
    return typeof chosen === 'function' ? chosen() : chosen;
  }

  /** A list of up to `most` things. */
  some(most, make) {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  /** Fields that are there in `share` of all cases. */
  fields(share, makers) {
    const made = {};
    for (const [name, make] of Object.entries(makers)) if (this.happens(share)) made[name] = make();
    return made;
  }
}
