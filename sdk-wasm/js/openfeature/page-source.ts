/** The page's Attune as a source of flags. */

import type { Attune } from '../attune.ts';
import type { JsonObject } from '../context.ts';
import { chain, devtoolsPort } from '../devtools-port.ts';
import { changedTraits, type Giving, type Source, type Subject } from './source.ts';

/** Over the instance that `init` has made. */
export class PageSource implements Source {
  readonly #attune: Attune;

  constructor(attune: Attune) {
    this.#attune = attune;
  }

  get ready(): Promise<void> {
    return this.#attune.ready;
  }

  isEnded(): boolean {
    return this.#attune.isShutDown;
  }

  decisions(): Giving[] {
    const decisions = this.isEnded() ? [] : this.#attune[devtoolsPort].decisions();
    return decisions.sort((a, b) => (a.slot < b.slot ? -1 : 1));
  }

  /** What the bundle may give is not known to the page before it is given. */
  variables(): string[] {
    return [];
  }

  onChange(callback: () => void): () => void {
    return chain(this.#attune[devtoolsPort], 'changed', callback);
  }

  become(now: Subject, before: Subject): void {
    if (now.id === undefined) {
      if (before.id !== undefined) this.#attune.reset();
      return;
    }
    const known = now.id === before.id ? before : { id: now.id, traits: {} };
    const traits = Object.fromEntries(changedTraits(now, known));
    if (now.id !== before.id || Object.keys(traits).length > 0) this.#attune.identify(now.id, traits);
  }

  track(type: string, metadata: JsonObject): void {
    this.#attune.track(type, metadata);
  }
}
