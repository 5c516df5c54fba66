/** The page for addresses that lead nowhere. */
import { html } from '../html';
import type { Page } from './page';

export const lost: Page = {
  title: 'Nobody home',
  banner: 'none',
  view: () => html`<div class="heading"><h1 class="title">Nobody home</h1>
    <p class="lead">The window at this address is dark. <a href="/">Walk back to the street.</a></p></div>`,
};
