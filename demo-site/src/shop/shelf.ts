/** Shelves: lamps as cards, categories as windows. */
import { lampDrawing } from '../art/index';
import { type Category, type Lamp, lampsOf, price } from '../catalogue';
import { type Html, html, raw } from '../html';
import { icon } from './icons';

/** A card of one lamp; its mark is lit by the guidance. */
export const card = (lamp: Lamp): Html => html`<li class="card" data-lamp="${lamp.id}">
  <a class="card__link" href="/lamp/${lamp.id}">
    <span class="pane pane--${lamp.category}">${raw(lampDrawing(lamp.id))}<span class="mark-fits">${icon('check')}Your light</span></span>
    <span class="card__text">
      <span class="card__name">${lamp.name}</span>
      <span class="card__kind">${lamp.kind}, ${lamp.kelvin.toLocaleString('en')} K</span>
      <span class="card__line">${lamp.line}</span>
      <span class="card__price">${price(lamp.price_cents)}</span>
    </span>
  </a>
  <button class="card__add" type="button" data-add="${lamp.id}" aria-label="Add ${lamp.name} to the cart">${icon('plus')}</button>
</li>`;

/** A shelf of cards; the first lamp of a `feature` shelf may stand out where there is room. */
export const shelf = (lamps: readonly Lamp[], kind: 'plain' | 'feature' = 'plain'): Html =>
  html`<ul class="shelf shelf--${kind}">${lamps.map(card)}</ul>`;

/** A category, seen through its window. */
export const categoryWindow = ({ id, name, line }: Category, shown: string): Html => html`<li>
  <a class="window pane--${id}" href="/lamps/${id}">
    <span class="window__drawing">${raw(lampDrawing(shown))}</span>
    <span class="window__name">${name}</span>
    <span class="window__line">${line}</span>
    <span class="window__count">${lampsOf(id).length} lamps ${icon('arrow')}</span>
  </a>
</li>`;
