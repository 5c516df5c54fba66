/** Mistakes that the types have to find, each on the line below its mark: a mark without a mistake does not compile. */

import { type Attune, type Decision, init, type JsonObject } from 'attune';
import { autocapture } from 'attune/autocapture';
import { inspect, onEvent } from 'attune/devtools';
// @ts-expect-error what is inside the package is nobody's business
import { Driver } from 'attune/dist/driver/driver.js';
import { Evaluator } from 'attune/evaluator';
import { pageProvider } from 'attune/openfeature';
import { AttuneProvider, useDecision, useSignal, useTrack, useVariable } from 'attune/react';

const required = { writeKey: 'demo', collector: '/attune' };
// @ts-expect-error both the key and the collector are required
init({ writeKey: 'demo' });
// @ts-expect-error a write key is a text
init({ ...required, writeKey: 7 });
// @ts-expect-error there is no such option
init({ ...required, endpoint: '/attune' });
// @ts-expect-error an option that is not given is left out
init({ ...required, context: undefined });
// @ts-expect-error consent is said in three words
init({ ...required, consent: { analytics: 'yes' } });
// @ts-expect-error there is no such purpose
init({ ...required, consent: { marketing: 'granted' } });
// @ts-expect-error trusted keys are a list, or a text
init({ ...required, trust: 1 });
// @ts-expect-error only these kinds are redacted
init({ ...required, filter: { redact: ['name'] } });
// @ts-expect-error what is not an event drops nothing
init({ ...required, beforeSend: () => false });
// @ts-expect-error a promise is not waited for
init({ ...required, beforeSend: async (event) => event });

export function onThePage(attune: Attune): void {
  // @ts-expect-error an event has a type
  attune.track();
  // @ts-expect-error a type is a text
  attune.track(7);
  // @ts-expect-error metadata is an object
  attune.track('view', 'hats');
  // @ts-expect-error a function has no JSON form
  attune.track('view', { at: () => 1 });
  // @ts-expect-error a date has to be made a text or a number first
  attune.track('view', { at: new Date() });
  // @ts-expect-error there are three priorities
  attune.track('view', {}, { priority: 'urgent' });
  // @ts-expect-error the value has the type of the fallback
  const from: string = attune.variable('free_shipping_from', 50);
  // @ts-expect-error a fallback is needed
  attune.variable('free_shipping_from');
  // @ts-expect-error a key is a text
  attune.signal('views', 7);
  // @ts-expect-error there may be no value
  const views: number = attune.signal('views');
  // @ts-expect-error a slot may be empty
  const rule: string = attune.decision('hero').rule;
  // @ts-expect-error a slot may become empty
  attune.onDecision('hero', (decision: Decision) => decision.rule);
  // @ts-expect-error errors come to a callback
  attune.onError('console');
  // @ts-expect-error a user has an id that is a text
  attune.identify({ id: 'ann' });
  // @ts-expect-error consent is said by purpose
  attune.consent(true);
  // @ts-expect-error what is ready cannot be set
  attune.ready = Promise.resolve();
  // @ts-expect-error there is no such kind
  autocapture(attune, { clics: true });
  // @ts-expect-error one looks into an instance
  inspect();
  // @ts-expect-error a captured event has no such field
  onEvent(attune, ({ type }) => type);
  // @ts-expect-error flags name variables
  pageProvider(attune, { flags: ['title'] });
  void [from, views, rule, Driver];
}

// @ts-expect-error a bundle is bytes
new Evaluator('rules.bundle');
// @ts-expect-error there is no such option
new Evaluator(new Uint8Array(), { user: 'ann' });

export function Shop(): JsonObject {
  // @ts-expect-error a slot has a name
  useDecision();
  // @ts-expect-error since when is not known to whoever renders on a server
  useDecision('hero')?.since;
  // @ts-expect-error the value has the type of the fallback
  const title: number = useVariable('title', 'Welcome');
  // @ts-expect-error a fallback has a JSON form
  useVariable('title', () => 'Welcome');
  // @ts-expect-error there may be no value, as while a server renders
  const views: number = useSignal('views');
  // @ts-expect-error it gives a function, and tracks nothing by itself
  useTrack('view');
  return { title, views };
}
// @ts-expect-error it has to know how to start
AttuneProvider({ children: 'Shop' });
// @ts-expect-error what starts is not waited for
AttuneProvider({ start: async () => init(required) });
// @ts-expect-error decisions are a list
AttuneProvider({ start: () => init(required), decisions: {} });
// @ts-expect-error at the script tag as well, an event has a type
window.attune.track();
