/** JSON on its way to the collector and back. */

import type { JsonObject } from './context.ts';

/**
 * The JSON text of a value. Half a surrogate pair, which `JSON.stringify` writes as an escape that the collector
 * refuses, becomes the replacement character, as it does wherever a text turns into UTF-8.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\ud')) return text;
  return text.replace(/\\(ud...|.)/g, (whole, { length }) => (length > 1 ? '\ufffd' : whole));
}

/** The value of a JSON text; nothing where it is none. */
export function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined;
  }
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of a value; none where it has none. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}
