/** What was handed in, as errors show it. */

/** A value as text; functions are all alike, since each call makes its own anew. */
export function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}

/** A value as text, or its kind where it has none. */
export function seen(value: unknown): string {
  return (textOf(value) || typeof value).slice(0, 100);
}
