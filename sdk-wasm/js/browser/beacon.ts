/** Requests that outlive their page. */

/** Hands a text to the browser to be posted even if the page is gone; says whether the browser took it. */
export function sendBeacon(url: string, body: string): boolean {
  try {
    return navigator.sendBeacon(url, body);
  } catch {
    return false;
  }
}
