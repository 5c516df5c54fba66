/** The opening through which the other entries reach into an instance; the page pays for nothing more. */

import type { Json } from './context.ts';
import type { CoreInspection } from './core/effects.ts';
import type { Decision } from './decision.ts';
import type { Capture } from './driver/contract.ts';
import type { AttuneError } from './errors.ts';
import type { Inspection } from './inspection.ts';
import type { Saying } from './words.ts';

/** The instance's property that holds the port. */
export const devtoolsPort: unique symbol = Symbol.for('attune.devtools');

/** The inside as the instance has it: signals by name only, those counted by key with the keys there may be. */
export interface Inside extends Pick<Inspection, 'member' | 'user_id' | 'lane' | 'stream'> {
  core: CoreInspection;
}

/** What the instance offers and what a panel may set. */
export interface DevtoolsPort {
  /** The inside but for decisions and values; nothing before the WebAssembly half has started. */
  inspect(): Inside | undefined;
  /** The live value of a signal. */
  signal(name: string, key?: string): Json | undefined;
  /** What fills each slot. */
  decisions(): Decision[];
  /** Reports an error, which is made here so that it is of the page's own class. */
  report(...error: ConstructorParameters<typeof AttuneError>): void;
  /** Reports a mistake of the site's, in words as soon as those are there. */
  tell(...saying: Saying): void;
  /** Called after anything may have changed. */
  changed?: () => void;
  /** Called with every event captured. */
  captured?: (event: Capture) => void;
}

/** Listens beside whoever listens already. Returns what ends that. */
export function chain<Name extends 'changed' | 'captured'>(
  port: DevtoolsPort,
  name: Name,
  callback: NonNullable<DevtoolsPort[Name]>,
): () => void {
  type Callback = (event?: Capture) => void;
  const slots = port as Record<Name, Callback | undefined>;
  const earlier = slots[name];
  let isActive = true;
  const link: Callback = (event) => {
    earlier?.(event);
    if (isActive) (callback as Callback)(event);
  };
  slots[name] = link;
  return () => {
    isActive = false;
    // The others have somebody behind them who calls them.
    if (slots[name] === link) slots[name] = earlier;
  };
}
