/** Links that lead to other hosts. */

import { scrub } from './address.ts';
import { describe, isMasked } from './element.ts';
import { onLink } from './links.ts';
import type { Site } from './site.ts';

/** Tracks them so that they outlive the page they leave. */
export function trackOutboundLinks(site: Site): void {
  onLink(site, ({ protocol, hostname, href }, path) => {
    if (!protocol.startsWith('http') || plain(hostname) === plain(location.hostname)) return;
    const address = isMasked(path) ? undefined : scrub(href);
    site.track('outbound_click', { ...describe(path), link_domain: hostname, link_url: address }, 'critical');
  });
}

function plain(host: string): string {
  return host.replace(/^www\./, '');
}
