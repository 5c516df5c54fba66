/** Scene 5: two tabs of one visitor stay in step. */
import { html } from '../html';
import { watchOrigins } from '../origin';
import { because, type Scene } from './scene';

export const twoTabs: Scene = {
  id: 'two-tabs',
  title: 'Two tabs, one visitor',
  explains: 'What you do in one tab changes the other: the collector pushes the profile to every open page.',
  tryIt: 'Open a second tab beside this one, look at one category three times there, and watch here.',
  path: '/',
  controls: () =>
    html`<a class="button button--small" href="/lamps/flame" target="_blank">Open a second tab</a>`,
  start({ attune, happened }) {
    // Nothing here synchronises anything. The scene only looks where a change has come from: what neither an event of
    // this page nor an edited rule has brought, another tab has.
    const askOrigin = watchOrigins(attune);
    for (const slot of ['hero', 'guidance'] as const) {
      const target = slot === 'hero' ? '#hero' : '[data-guidance]';
      let shown = '';
      attune.onDecision(slot, (decision) => {
        const filling = JSON.stringify([decision?.rule, decision?.key]);
        if (filling === shown) return;
        shown = filling;
        askOrigin((origin) => {
          if (decision && origin === 'elsewhere') {
            happened(twoTabs, target, because('of what happened in another tab'), decision);
          }
        });
      });
    }
  },
};
