/** What stays while pages change: notice bar, header, banner, footer, thumb bar. */
import { sharedGradients } from '../art/defs';
import type { Cart } from '../cart';
import { categories } from '../catalogue';
import { fill, find, html, raw } from '../html';
import { hero } from './hero';
import { icon } from './icons';

/** Draws the frame into the empty shop and keeps the number at the cart right. */
export function drawFrame(cart: Cart): void {
  fill(
    find('#shop'),
    html`${raw(sharedGradients)}
      <section id="notice" class="notice" aria-label="Notice"><p id="notice-text">Sent by rail, free from €60, mended for life</p></section>
      <header class="header">
        <a class="mark" href="/" aria-label="Owlight, home">${icon('owl')}<span>Owlight</span></a>
        <nav class="nav" aria-label="Categories">
          ${categories.map(({ id, name }) => html`<a href="/lamps/${id}">${name}</a>`)}
        </nav>
        <div class="header__end">
          <a class="header__how" href="/how">How it works</a>
          <a class="header__cart" href="/cart" aria-label="Cart">${icon('cart')}<b data-cart-count></b></a>
        </div>
      </header>
      ${hero()}
      <main id="main" tabindex="-1"></main>
      <footer class="footer">
        <p><b>Owlight</b> is a shop that does not exist, built to show Attune at work. Nothing here can be bought.</p>
        <nav aria-label="More"><a href="/fit">Find your light</a><a href="/how">How it works</a><a href="/cart">Cart</a></nav>
      </footer>
      <nav class="thumbs" aria-label="Quick ways">
        <a href="/">${icon('owl')}Home</a>
        <a href="/lamps/reading">${icon('lamp')}Lamps</a>
        <a href="/fit">${icon('fit')}Your light</a>
        <a href="/cart">${icon('cart')}Cart<b data-cart-count></b></a>
      </nav>`,
  );
  const count = () => {
    for (const badge of document.querySelectorAll('[data-cart-count]')) {
      badge.textContent = cart.count === 0 ? '' : String(cart.count);
    }
  };
  cart.addEventListener('change', count);
  count();
}

/** Marks the links that lead to where the visitor is. */
export function markCurrent(path: string): void {
  for (const link of document.querySelectorAll('.nav a, .thumbs a')) {
    if (link.getAttribute('href') === path) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}
