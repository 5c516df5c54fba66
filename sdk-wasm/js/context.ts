/** What every page knows of itself: address, title, referrer, device class, locale, time zone, clocks. */

/** JSON as the page may hand it in. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json | undefined };

/** An object of JSON values. */
export type JsonObject = { [name: string]: Json | undefined };

/** Size class of the viewport: below 640 px, below 1024 px, and above. */
export type DeviceClass = 'phone' | 'tablet' | 'desktop';

const TABLET_QUERY = '(min-width: 640px)';
const DESKTOP_QUERY = '(min-width: 1024px)';

/** The name of the page's time zone. */
export function timeZone(): string {
  const { Temporal } = globalThis as { Temporal?: { Now: { timeZoneId(): string } } };
  // A first formatter loads the tables of the language: it takes longer than all else that a page does at its start.
  return Temporal ? Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The page as it is now; read again by every `page()`. */
export function pageContext(): JsonObject {
  const { href, pathname, search } = location;
  return { url: href, path: pathname, search, title: document.title, referrer: document.referrer };
}

/** The device class and the viewport, in CSS pixels, as they are now. */
export function deviceContext(): JsonObject & { class: DeviceClass } {
  const isWide = (query: string) => matchMedia(query).matches;
  const small = isWide(TABLET_QUERY) ? 'tablet' : 'phone';
  const viewport = { width: innerWidth, height: innerHeight };
  return { class: isWide(DESKTOP_QUERY) ? 'desktop' : small, viewport };
}

/** Calls back whenever the device class changes. */
export function watchDevice(changed: () => void, signal: AbortSignal): void {
  for (const query of [TABLET_QUERY, DESKTOP_QUERY]) {
    matchMedia(query).addEventListener('change', changed, { signal });
  }
}
