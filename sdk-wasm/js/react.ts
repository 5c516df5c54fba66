/**
 * The npm entry `attune/react`: decisions, variables and signals as hooks.
 *
 * ```tsx
 * <AttuneProvider start={() => init({ writeKey: 'demo', collector: 'https://attune.example' })}>
 *   <Shop />
 * </AttuneProvider>
 * ```
 */

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Attune } from './attune.ts';
import type { Json } from './context.ts';
import { usageError } from './errors.ts';
import type { GivenDecision, SlotDecision } from './react/given.ts';
import { openStore, type Store } from './react/store.ts';

export type { GivenDecision, SlotDecision };

/** What `AttuneProvider` takes. It reads `start` and `decisions` once, when it is mounted. */
export interface AttuneProviderProps {
  /**
   * Starts Attune, or returns what has been started: called once, in the browser, after React has taken the page over.
   * What it throws, as `init` does, reaches React's error boundaries.
   */
  start: () => Attune;
  /**
   * What the server has decided, as `decide()` of `attune/evaluator` gives it. Server and browser render by it at first;
   * it stands until the page's own decisions are live.
   * @defaultValue none: hooks give their fallbacks at first
   */
  decisions?: readonly GivenDecision[];
  children?: ReactNode;
}

const Page = createContext<Store | undefined>(undefined);

/** Gives the page's Attune to the hooks of all components below. Unmounting it ends no more than its listening. */
export function AttuneProvider({ start, decisions = [], children }: AttuneProviderProps): ReactElement {
  const [store] = useState(() => openStore(start, decisions));
  useEffect(() => void store.attune(), [store]);
  return createElement(Page.Provider, { value: store }, children);
}

/** What fills a slot, now and whenever it changes. */
export function useDecision(slot: string): SlotDecision | undefined {
  const store = useStore('useDecision');
  return useSyncExternalStore(
    store.subscribe,
    () => store.decision(slot),
    () => store.given.decision(slot),
  );
}

/** The value that the decisions in effect give a name; the fallback where none does or its type is another. */
export function useVariable(name: string, fallback: string): string;
export function useVariable(name: string, fallback: number): number;
export function useVariable(name: string, fallback: boolean): boolean;
export function useVariable<Value extends Json>(name: string, fallback: Value): Value;
export function useVariable(name: string, fallback: Json): Json {
  const store = useStore('useVariable');
  return useSyncExternalStore(
    store.subscribe,
    () => store.variable(name, fallback),
    () => store.given.variable(name, fallback),
  );
}

/** The live value of a signal, under a key where it is counted by key; nothing while the server renders. */
export function useSignal(name: string, key?: string): number | string | undefined {
  const store = useStore('useSignal');
  return useSyncExternalStore(
    store.subscribe,
    () => store.signal(name, key),
    () => undefined,
  );
}

/**
 * The page's Attune, for what has no hook of its own, such as `identify` at login; nothing while a server renders, and in
 * the browser until it has been started. Asking for it starts nothing anew.
 */
export function useAttune(): Attune | undefined {
  const store = useStore('useAttune');
  return useSyncExternalStore(store.subscribe, store.running, () => undefined);
}

/** `track` of the page's Attune, the same function at every rendering. It is for effects and handlers. */
export function useTrack(): Attune['track'] {
  return useStore('useTrack').track;
}

function useStore(hook: string): Store {
  const store = useContext(Page);
  if (!store)
    throw usageError('provider_missing', `${hook}: there is no <AttuneProvider> around this component`);
  return store;
}
