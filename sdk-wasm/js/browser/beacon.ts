/** Requests that outlive their page. */

/** Hands a body to the browser to be posted as plain text even if the page is gone; says whether the browser took it. */
export function sendBeacon(url: string, body: string | Uint8Array<ArrayBuffer>): boolean {
  try {
    return navigator.sendBeacon(url, new Blob([body], { type: 'text/plain' }));
  } catch {
    return false;
  }
}
