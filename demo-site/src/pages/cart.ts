/** The cart: what is in it, and what the offer takes off. */
import { lampDrawing } from '../art/index';
import type { CartLine } from '../cart';
import { findLamp, price } from '../catalogue';
import { fill, type Html, html, raw } from '../html';
import { icon } from '../shop/icons';
import type { Page, Shop } from './page';

export const cartPage: Page = {
  title: 'Your cart',
  banner: 'none',
  view: () => html`<h1 class="title">Your cart</h1><div data-cart></div>`,
  shown: (root, shop, left) => {
    const place = root.querySelector('[data-cart]');
    if (!place) return;
    const draw = () => fill(place, contents(shop));
    shop.cart.addEventListener('change', draw, { signal: left });
    left.addEventListener('abort', shop.attune.onDecision('offer', draw));
    place.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest('button') : null;
      const lamp = findLamp(button?.dataset.less ?? '');
      if (lamp) shop.cart.remove(lamp);
      if (button?.matches('[data-buy]')) {
        shop.cart.buy(sums(shop).due_cents);
        fill(place, thanks);
      }
    });
    draw();
  },
};

function sums({ cart, attune }: Shop) {
  const percent = attune.variable('offer_percent', 0);
  const off_cents = Math.round((cart.total_cents * percent) / 100);
  return { percent, off_cents, due_cents: cart.total_cents - off_cents };
}

function contents(shop: Shop): Html {
  const { cart } = shop;
  if (cart.count === 0) return empty;
  const { percent, off_cents, due_cents } = sums(shop);
  return html`<div class="cart">
    <ul class="cart__lines">${cart.lines.map(line)}</ul>
    <div class="cart__sums" id="cart-sums">
      <p><span>Lamps</span><b>${price(cart.total_cents)}</b></p>
      <p class="cart__offer ${percent > 0 && 'is-on'}"><span>${percent > 0 ? `Tonight, ${percent} % less` : 'No offer yet'}</span><b>${percent > 0 ? `−${price(off_cents)}` : '–'}</b></p>
      <p><span>Sent by rail</span><b>${due_cents >= 6_000 ? 'free' : 'at the door'}</b></p>
      <p class="cart__due"><span>Due</span><b>${price(due_cents)}</b></p>
      <button class="button" type="button" data-buy>Buy (nothing is charged)</button>
    </div>
  </div>`;
}

const line = ({ lamp, quantity }: CartLine): Html => html`<li class="cart__line">
  <a class="pane pane--${lamp.category}" href="/lamp/${lamp.id}" aria-label="${lamp.name}">${raw(lampDrawing(lamp.id))}</a>
  <div><p class="card__name">${lamp.name}</p><p class="card__kind">${lamp.kind}, ${price(lamp.price_cents)}</p></div>
  <div class="count">
    <button type="button" data-less="${lamp.id}" aria-label="One ${lamp.name} less">${icon('minus')}</button>
    <b>${quantity}</b>
    <button type="button" data-add="${lamp.id}" aria-label="One ${lamp.name} more">${icon('plus')}</button>
  </div>
</li>`;

/** A lit window beside a few words. */
const note = (lamp: string, category: string, words: string, link: Html): Html => html`<div class="empty">
  <div class="pane pane--${category}">${raw(lampDrawing(lamp))}</div>
  <div><p class="lead">${words}</p>${link}</div>
</div>`;

const empty = note(
  'firefly',
  'garden',
  'Nothing in it yet. Put a lamp in and leave it for twenty seconds: an offer will come looking for you.',
  html`<a class="button" href="/lamps/table">Look over the table</a>`,
);

const thanks = note(
  'owl',
  'flame',
  'Thank you. Your lamps are on the night train, and the offer has gone with them.',
  html`<a class="button" href="/">Back to the street</a>`,
);
