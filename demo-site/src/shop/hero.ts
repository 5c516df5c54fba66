/** The banner above every shelf: five variants of one size, of which one is lit. */
import { sceneDrawing } from '../art/index';
import type { CategoryId } from '../catalogue';
import { find, type Html, html, raw } from '../html';

export type HeroId = 'street' | CategoryId;

interface Variant {
  readonly id: HeroId;
  readonly eyebrow: string;
  readonly title: string;
  readonly line: string;
  readonly path: string;
  readonly link: string;
}

const variants: readonly Variant[] = [
  {
    id: 'street',
    eyebrow: 'Lamps and night lights',
    title: 'Somebody left a light on for you',
    line: 'Sixteen lamps from four small workshops, all made to be mended.',
    path: '/fit',
    link: 'Find your light',
  },
  {
    id: 'reading',
    eyebrow: 'Your third look at reading lamps',
    title: 'One more chapter, then',
    line: 'Heron bends over any armchair and keeps its light to the page.',
    path: '/lamp/heron',
    link: 'Sit down with Heron',
  },
  {
    id: 'table',
    eyebrow: 'Your third look over the table',
    title: 'Hang it low and everyone leans in',
    line: 'Supper wants sixty centimetres of air above the plates.',
    path: '/lamp/supper',
    link: 'Lay the table with Supper',
  },
  {
    id: 'garden',
    eyebrow: 'Your third look at garden lights',
    title: 'The last ten steps, lit',
    line: 'Post stands by the path in any weather and waits for you.',
    path: '/lamp/post',
    link: 'Come home to Post',
  },
  {
    id: 'flame',
    eyebrow: 'Your third look at small flames',
    title: 'Let it rain a little longer',
    line: 'Harbour turns up for dinner and down for the rain.',
    path: '/lamp/harbour',
    link: 'Wait it out with Harbour',
  },
];

/** All variants on top of each other, so that the banner is always as high as the highest of them. */
export function hero(): Html {
  return html`<section id="hero" class="hero" aria-label="Banner">
    ${variants.map(
      ({ id, eyebrow, title, line, path, link }) => html`<div class="hero__variant" data-variant="${id}">
        ${raw(sceneDrawing(id))}
        <div class="hero__text">
          <p class="eyebrow">${eyebrow}</p>
          <h2 class="hero__title">${title}</h2>
          <p class="hero__line">${line}</p>
          <a class="button" href="${path}">${link}</a>
        </div>
      </div>`,
    )}
  </section>`;
}

/** Lights one variant. */
export function showHero(id: HeroId): void {
  for (const variant of find('#hero').children) {
    variant.classList.toggle('is-on', variant.getAttribute('data-variant') === id);
  }
}
