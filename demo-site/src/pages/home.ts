/** The home page: banner, guidance, four windows, a shelf for tonight. */
import { categories, lamps } from '../catalogue';
import { html } from '../html';
import { guidancePlace } from '../shop/guidance';
import { categoryWindow, shelf } from '../shop/shelf';
import type { Page } from './page';

const inWindow = { reading: 'chapter', table: 'supper', garden: 'firefly', flame: 'harbour' };
const tonight = ['owl', 'moon', 'post', 'footnote'];

export const home: Page = {
  title: 'Owlight',
  banner: 'tall',
  view: () => html`
    ${guidancePlace()}
    <h1 class="title" data-slot="greeting">Lamps for the hours after six</h1>
    <ul class="windows">${categories.map((category) => categoryWindow(category, inWindow[category.id]))}</ul>
    <h2 class="subtitle">On the counter tonight</h2>
    ${shelf(lamps.filter(({ id }) => tonight.includes(id)))}`,
};
