/** Requests that the browser makes when the page is gone, however it went. */

type FetchLater = (url: string, options: RequestInit) => unknown;

/**
 * Leaves bytes with the browser, which posts it as plain text once the page is gone, even by a crash. Gives what takes
 * it back, or nothing where the browser knows no such requests or has no room.
 */
export function postLater(url: string, bytes: Uint8Array<ArrayBuffer>): (() => void) | undefined {
  const control = new AbortController();
  try {
    (window as unknown as { fetchLater: FetchLater }).fetchLater(url, {
      method: 'POST',
      body: new Blob([bytes], { type: 'text/plain' }),
      credentials: 'omit',
      signal: control.signal,
    });
    return () => control.abort();
  } catch {
    return undefined;
  }
}
