/** Small things that the shop itself keeps in this browser; where storage is blocked, only until the page is left. */

const PREFIX = 'owlight.';
const unstored = new Map<string, unknown>();

/** Whether an entry of the browser's storage is the one of this name. */
export const isKept = (name: string, key: string | null): boolean => key === PREFIX + name;

/** What was kept under a name; the fallback where nothing was. */
export function kept<Value>(name: string, fallback: Value): Value {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null') ?? fallback;
  } catch {
    return (unstored.get(name) as Value | undefined) ?? fallback;
  }
}

/** Keeps a value under a name. */
export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    unstored.set(name, value);
  }
}
