/** The SDKs that are measured, Attune first. */

import { attune } from './sdks/attune.mjs';
import { posthog } from './sdks/posthog.mjs';
import { rudderstack } from './sdks/rudderstack.mjs';
import { segment } from './sdks/segment.mjs';
import { snowplow } from './sdks/snowplow.mjs';

export const SDKS = [attune, segment, rudderstack, posthog, snowplow];
