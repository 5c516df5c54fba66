/** An event of the page for its own code: one when the decision begins to hold, another when it ends. */

import type { Further } from '../dom/change.ts';
import type { Kept } from '../dom/kept.ts';

/** Says `attune:<name>` once, at the first element of the target, or else at the document; and `attune:<name>:end`. */
export function keepEvent(change: Further): Kept {
  const [, target, [, name, fixed = '{}', ...names], filled] = change;
  const detail = { ...JSON.parse(fixed), ...Object.fromEntries(names.map((name, at) => [name, filled[at]])) };
  let place: Node | null | undefined;
  const say = (where: Node, type: string) =>
    where.dispatchEvent(new CustomEvent(`attune:${type}`, { detail, bubbles: true, composed: true }));
  return {
    change,
    ensure() {
      if (place) return undefined;
      try {
        place = target ? document.querySelector(target) : document;
      } catch (cause) {
        place = document;
        return cause as Error;
      }
      place ??= document;
      say(place, `${name}`);
      return undefined;
    },
    takeBack() {
      // Code that listens at the document hears of the end whatever has become of the element.
      if (place) say(place.isConnected ? place : document, `${name}:end`);
    },
  };
}
