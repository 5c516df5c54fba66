/** Every entry as it is meant to be used: this has to compile. */

import type { Provider } from '@openfeature/web-sdk';
import { type Attune, AttuneError, type Decision, init, type JsonObject } from 'attune';
import { autocapture } from 'attune/autocapture';
import { inspect, onChange, onEvent } from 'attune/devtools';
import { Evaluator } from 'attune/evaluator';
import { init as initInline } from 'attune/inline';
import { evaluatorProvider, pageProvider } from 'attune/openfeature';
import {
  AttuneProvider,
  type GivenDecision,
  useAttune,
  useDecision,
  useSignal,
  useTrack,
  useVariable,
} from 'attune/react';
import 'attune/script/attune.js';

export const attune: Attune = init({
  writeKey: 'demo',
  collector: 'https://attune.example',
  consent: { analytics: 'unknown' },
  filter: { redact: ['email'], types: [{ on: 'scroll', sample: 0.1 }] },
  beforeSend: ({ event_type, metadata }) => (event_type === 'debug' ? null : { event_type, metadata }),
});
export const inline: Attune = initInline({ writeKey: 'demo', collector: '/attune' });

const metadata: JsonObject = { category: 'hats', price: 24.5, tags: ['new'] };
export const id: string = attune.track('product_view', metadata, { priority: 'critical' });
export const from: number = attune.variable('free_shipping_from', 50);
export const views: number | string | undefined = attune.signal('views', 'hats');
export const stop: () => void = attune.onDecision('hero', (decision: Decision | undefined) => decision?.rule);
attune.onError((error) => error instanceof AttuneError && error.code);
autocapture(attune, { scroll: false, clicks: { text: true } });
onChange(attune, () => inspect(attune)?.queue.events);
onEvent(attune, ({ event_type }) => event_type);

const evaluator = new Evaluator(new Uint8Array(), { visitor: 'ann' });
export const given: readonly GivenDecision[] = evaluator.decide();
export const providers: Provider[] = [pageProvider(attune), evaluatorProvider(evaluator)];

export function Shop(): string {
  const running: Attune | undefined = useAttune();
  running?.identify('user-1');
  const track: Attune['track'] = useTrack();
  const title: string = useVariable('title', 'Welcome');
  const rule: string | undefined = useDecision('hero')?.rule;
  const count: number | string | undefined = useSignal('views', 'hats');
  return track(`${title} ${rule} ${count}`);
}
AttuneProvider({ start: () => attune, decisions: given, children: 'Shop' });

window.attune.init({ consent: { personalization: 'denied' } }).page();
