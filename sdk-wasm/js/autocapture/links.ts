/** Clicks that follow a link, with the main button or the middle one. */

import { from, LINK, onAct, type Path } from './element.ts';
import type { Site } from './site.ts';

const MIDDLE = 1;

/** Calls back for every link that is followed, with the path from the link on. */
export function onLink(site: Site, followed: (link: HTMLAnchorElement, path: Path) => void): void {
  const clicked = (path: Path, { type, button }: MouseEvent) => {
    const found = from(path, LINK);
    const link = found?.[0] as HTMLAnchorElement | undefined;
    // Links in drawings have no address of this form.
    if (found && link?.protocol && (type === 'click' || button === MIDDLE)) followed(link, found);
  };
  for (const name of ['click', 'auxclick']) onAct(site, name, clicked);
}
