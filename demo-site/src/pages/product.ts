/** The page of one lamp; viewing it counts as a view of its category. */
import { lampDrawing } from '../art/index';
import { findCategory, findLamp, lampsOf, price } from '../catalogue';
import { html, raw } from '../html';
import { icon } from '../shop/icons';
import { shelf } from '../shop/shelf';
import { lost } from './lost';
import type { Page } from './page';

export function product(id: string): Page {
  const lamp = findLamp(id);
  if (!lamp) return lost;
  const others = lampsOf(lamp.category).filter((other) => other !== lamp);
  return {
    title: lamp.name,
    banner: 'band',
    viewed: { category: lamp.category, product_id: lamp.id },
    view: () => html`
      <article class="product" data-lamp="${lamp.id}">
        <div class="product__pane pane pane--${lamp.category}">
          ${raw(lampDrawing(lamp.id))}
          <span class="mark-fits">${icon('check')}Your light</span>
          <button class="switch" type="button" aria-pressed="true" data-switch>Light</button>
        </div>
        <div class="product__text">
          <p class="eyebrow"><a href="/lamps/${lamp.category}">${findCategory(lamp.category)?.name}</a></p>
          <h1 class="title">${lamp.name}</h1>
          <p class="lead">${lamp.line}</p>
          <dl class="facts">
            <div><dt>Warmth</dt><dd>${lamp.kelvin.toLocaleString('en')} K</dd></div>
            <div><dt>Brightness</dt><dd>${lamp.lumen} lm</dd></div>
            <div><dt>Height</dt><dd>${lamp.height_cm} cm</dd></div>
            <div><dt>Made of</dt><dd>${lamp.made_of}</dd></div>
          </dl>
          <div class="buy">
            <p class="buy__price">${price(lamp.price_cents)}</p>
            <button class="button" type="button" data-add="${lamp.id}">Add to cart</button>
          </div>
        </div>
      </article>
      <h2 class="subtitle">From the same shelf</h2>
      ${shelf(others)}`,
    shown: (root) => {
      const button = root.querySelector<HTMLButtonElement>('[data-switch]');
      button?.addEventListener('click', () => {
        const isLit = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', String(isLit));
        button.parentElement?.classList.toggle('is-off', !isLit);
      });
    },
  };
}
