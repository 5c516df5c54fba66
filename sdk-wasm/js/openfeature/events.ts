/** A provider's events in the form that OpenFeature's SDKs listen to. */

import type { EventContext, EventHandler, Logger, Provider } from '@openfeature/web-sdk';

type Emitter = NonNullable<Provider['events']>;
type Type = Parameters<Emitter['addHandler']>[0];

/** Handlers by event; what one of them throws reaches neither the others nor whoever emits. */
export class ProviderEvents implements Emitter {
  readonly #handlers = new Map<Type, Set<EventHandler>>();
  #logger: Pick<Logger, 'error'> = console;

  emit(type: Type, context?: EventContext): void {
    for (const handler of this.getHandlers(type)) {
      // A handler may be asynchronous as well.
      const run = async () => handler({ ...context } as Parameters<EventHandler>[0]);
      run().catch((cause) => this.#logger.error('attune: a handler of a provider event failed:', cause));
    }
  }

  addHandler(type: Type, handler: EventHandler): void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
  }

  removeHandler(type: Type, handler: EventHandler): void {
    this.#handlers.get(type)?.delete(handler);
  }

  removeAllHandlers(type?: Type): void {
    if (type === undefined) this.#handlers.clear();
    else this.#handlers.delete(type);
  }

  getHandlers(type: Type): EventHandler[] {
    return [...(this.#handlers.get(type) ?? [])];
  }

  setLogger(logger: Logger): this {
    this.#logger = logger;
    return this;
  }
}
