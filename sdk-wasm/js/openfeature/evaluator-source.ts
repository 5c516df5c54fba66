/** The visitor of an evaluator as a source of flags. */

import type { Evaluator } from '../evaluator.ts';
import { changedTraits, type Giving, type Source, type Subject } from './source.ts';

/** Over an evaluator that somebody else feeds and frees. */
export class EvaluatorSource implements Source {
  readonly ready = Promise.resolve();
  readonly #evaluator: Evaluator;
  /** Who the visitor is while no context says it. */
  readonly #own: string;

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
    this.#own = evaluator.visitor;
  }

  isEnded(): boolean {
    return false;
  }

  decisions(): Giving[] {
    return this.#evaluator.decide().map(({ slot, rule, reason, actions }) => {
      const variables = actions.filter(({ kind }) => kind === 'variable');
      const values = variables.map(({ name, value }) => [name, value]);
      return { slot, rule: rule ?? '', reason: reason ?? 'level', variables: Object.fromEntries(values) };
    });
  }

  variables(): string[] {
    return this.#evaluator.variables();
  }

  onChange(callback: () => void): () => void {
    return this.#evaluator.onChange(callback);
  }

  /** Takes in whatever can be, and only then throws for what cannot. */
  become(now: Subject, before: Subject): void {
    const failures: unknown[] = [];
    if (now.id !== before.id) this.#evaluator.identify(now.id ?? this.#own);
    for (const [name, value] of changedTraits(now, before)) {
      try {
        this.#evaluator.change(`traits.${name}`, value);
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
