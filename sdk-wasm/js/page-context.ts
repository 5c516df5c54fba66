/** The context of a page: what it starts with, and how it changes. */

import { wallMs } from './clock.ts';
import { deviceContext, type JsonObject, pageContext, timeZone } from './context.ts';
import { localTime } from './local-time.ts';

/** The context a page starts with. */
export function defaultContext(): JsonObject {
  return {
    page: pageContext(),
    device: deviceContext(),
    locale: navigator.language,
    time_zone: timeZone(),
    time: localTime(wallMs()),
  };
}

/** A context with fields, a JSON object as text, merged into it; `null` removes one. */
export function mergedContext(context: JsonObject, fields: string): JsonObject {
  const merged = Object.entries({ ...context, ...JSON.parse(fields) } as JsonObject);
  return Object.fromEntries(merged.filter(([, value]) => value !== null));
}
