/** Clicks on what can be acted upon. */

import { scrub } from './address.ts';
import { controlOf, describe, from, isMasked, LABELLED, LINK, onAct } from './element.ts';
import type { ClickOptions } from './options.ts';
import type { Site } from './site.ts';
import { textOf } from './text.ts';

/** Tracks clicks. */
export function trackClicks(site: Site, { text }: ClickOptions): void {
  onAct(site, 'click', (path) => {
    const control = controlOf(path);
    // A label hands its click on to its field.
    if (!control || (control[0] instanceof HTMLLabelElement && control[0].control)) return;
    const isOpen = !isMasked(control);
    const link = isOpen && (from(control, LINK)?.[0] as HTMLAnchorElement | undefined);
    const said = isOpen && text && from(control, LABELLED)?.[0];
    site.track('click', {
      ...describe(control),
      href: link ? scrub(link.href) : undefined,
      text: said ? textOf(said) : undefined,
    });
  });
}
