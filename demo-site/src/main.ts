/** Starts the shop: Attune first, then the pages, the scenes and the panel. */
import './styles/index.css';
import { init } from 'attune';
import { Cart } from './cart';
import { findLamp } from './catalogue';
import { loadConfig } from './config';
import { fill, find } from './html';
import { cartPage } from './pages/cart';
import { category } from './pages/category';
import { fit } from './pages/fit';
import { home } from './pages/home';
import { how } from './pages/how';
import { lost } from './pages/lost';
import type { Page } from './pages/page';
import { product } from './pages/product';
import { startPanel } from './panel/panel';
import { startRouter } from './router';
import { drawFrame, markCurrent } from './shop/frame';
import { applyGuidance } from './shop/guidance';
import { showHero } from './shop/hero';
import { startScenes } from './stage';

/** Longest time that the first picture waits for the first decisions. */
const FIRST_DECISIONS_MS = 700;

const config = await loadConfig();
const attune = init({ writeKey: config.write_key, collector: location.origin });
const cart = new Cart(attune);

drawFrame(cart);
showHero('street');
startPanel(attune, config);
startScenes(attune, config);

let left = new AbortController();
startRouter<Page>(
  [
    { pattern: /^\/(?:index\.html)?$/, page: () => home },
    { pattern: /^\/lamps\/(\w+)$/, page: category },
    { pattern: /^\/lamp\/(\w+)$/, page: product },
    { pattern: /^\/cart$/, page: () => cartPage },
    { pattern: /^\/fit$/, page: () => fit },
    { pattern: /^\/how$/, page: () => how },
    { pattern: /./, page: () => lost },
  ],
  show,
);

addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLElement>('[data-add]') : null;
  const lamp = findLamp(button?.dataset.add ?? '');
  if (lamp) cart.add(lamp);
});

await Promise.race([
  Promise.all([attune.ready.catch(() => undefined), document.fonts.ready]),
  new Promise((late) => setTimeout(late, FIRST_DECISIONS_MS)),
]);
document.body.classList.add('is-open');

function show(page: Page, first: boolean): void {
  const shop = { attune, cart, config };
  const main = find('#main');
  left.abort();
  left = new AbortController();
  document.title = page === home ? 'Owlight' : `${page.title} – Owlight`;
  find('#shop').dataset.banner = page.banner;
  fill(main, page.view(shop));
  page.shown?.(main, shop, left.signal);
  markCurrent(location.pathname);
  applyGuidance(attune);
  if (!first) {
    find('#shop').scrollTo(0, 0);
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  attune.page(page.viewed);
}
