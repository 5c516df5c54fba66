/**
 * The npm entry `attune/openfeature`: variables of slots as feature flags of OpenFeature's web SDK.
 *
 * A flag is a variable, its variant the rule that gives it. Of `@openfeature/web-sdk` only types are used, so that this
 * file weighs next to nothing beside it.
 *
 * ```ts
 * import { OpenFeature } from '@openfeature/web-sdk';
 * import { pageProvider } from 'attune/openfeature';
 *
 * await OpenFeature.setProviderAndWait(pageProvider(attune));
 * OpenFeature.getClient().getBooleanValue('free_delivery', false);
 * ```
 */

import type { Attune } from './attune.ts';
import type { Evaluator } from './evaluator.ts';
import { EvaluatorSource } from './openfeature/evaluator-source.ts';
import { PageSource } from './openfeature/page-source.ts';
import { AttuneProvider, type ProviderOptions } from './openfeature/provider.ts';

export type { AttuneProvider, ProviderOptions };

/**
 * A provider over the page's Attune.
 *
 * OpenFeature's context becomes the visitor's identity: a `targetingKey` is identified, with itself as `traits.id` and
 * the other attributes as traits of their names, and `reset` follows where there is none any more. Attributes without a
 * `targetingKey` are left out.
 */
export function pageProvider(attune: Attune, options: ProviderOptions = {}): AttuneProvider {
  return new AttuneProvider(new PageSource(attune), options);
}

/**
 * A provider over the visitor of an evaluator, which stays the caller's to feed and to free.
 *
 * OpenFeature's context becomes the visitor: `targetingKey` is its `anonymous_id`, by which experiments hash and events
 * count, and `traits.id`; any other attribute is `traits.<name>`. Without a `targetingKey` the visitor is again the one that
 * the evaluator had when the provider was made.
 */
export function evaluatorProvider(evaluator: Evaluator, options: ProviderOptions = {}): AttuneProvider {
  return new AttuneProvider(new EvaluatorSource(evaluator), options);
}
