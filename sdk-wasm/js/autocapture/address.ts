/** What may be told of an address: nothing behind its path. */

const MAX_CHARS = 500;

/**
 * Takes query, fragment and user away; within the site, the host as well. Of an address that is not of the web, such as
 * `mailto:`, only the scheme is left.
 */
export function scrub(address: string): string | undefined {
  try {
    const { protocol, origin, pathname } = new URL(address, document.baseURI);
    if (!protocol.startsWith('http')) return protocol;
    return ((origin === location.origin ? '' : origin) + pathname).slice(0, MAX_CHARS);
  } catch {
    return undefined;
  }
}

/** The same for every web address in a text. */
export function scrubWithin(text: string): string {
  return text.replace(/\bhttps?:[^\s'"<>)]+/g, (address) => scrub(address) ?? '');
}
