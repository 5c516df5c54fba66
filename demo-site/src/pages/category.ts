/** The page of one category; viewing it counts towards the third look. */
import { type CategoryId, findCategory, lampsOf } from '../catalogue';
import { html } from '../html';
import { guidancePlace } from '../shop/guidance';
import { shelf } from '../shop/shelf';
import { lost } from './lost';
import type { Page } from './page';

export function category(id: string): Page {
  const found = findCategory(id);
  if (!found) return lost;
  return {
    title: found.name,
    banner: 'band',
    viewed: { category: found.id satisfies CategoryId },
    view: () => html`
      <div class="heading"><h1 class="title">${found.name}</h1><p class="lead">${found.line}</p></div>
      ${guidancePlace()}
      ${shelf(lampsOf(found.id), 'feature')}`,
  };
}
