/** Flags as the decisions in effect give them, and which of them have another value than before. */

import type { Json } from '../context.ts';
import { type Giving, isSame } from './source.ts';

/** The value of a flag, and the decision that gives it. */
export interface FlagValue {
  readonly value: Json;
  readonly by: Giving;
}

/** Values of flags. */
export class Flags {
  /** Variables by flag; any other flag is the variable of its own name. */
  readonly #names: Readonly<Record<string, string>>;
  readonly #known: Set<string>;
  #given = new Map<string, FlagValue>();

  constructor(names: Readonly<Record<string, string>>) {
    this.#names = names;
    this.#known = new Set(Object.keys(names));
  }

  /** Whether a flag is listed, may be given by the rules, or has been. */
  isKnown(flag: string): boolean {
    return this.#known.has(flag);
  }

  /** What a flag is now; nothing where no decision gives it. */
  find(flag: string): FlagValue | undefined {
    return this.#given.get(this.#variableOf(flag));
  }

  /** Makes flags of these variables known. */
  know(variables: Iterable<string>): void {
    for (const name of variables) if (this.#variableOf(name) === name) this.#known.add(name);
  }

  /** Takes decisions in, in order of slot, the first of which counts; returns the flags whose value differs. */
  update(decisions: readonly Giving[]): string[] {
    const before = this.#given;
    const given = new Map<string, FlagValue>();
    for (const by of decisions) {
      for (const [name, value] of Object.entries(by.variables)) {
        if (value !== undefined && !given.has(name)) given.set(name, { value, by });
      }
    }
    this.#given = given;
    this.know(given.keys());
    return [...this.#known].filter((flag) => {
      const name = this.#variableOf(flag);
      return !isSame(before.get(name)?.value, given.get(name)?.value);
    });
  }

  #variableOf(flag: string): string {
    return (Object.hasOwn(this.#names, flag) ? this.#names[flag] : undefined) ?? flag;
  }
}
