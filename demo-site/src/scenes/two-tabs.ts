/** Scene 5: two tabs of one visitor stay in step. */
import { html } from '../html';
import type { Scene } from './scene';

/** A tab that was not touched for this long has not caused a change itself. */
const UNUSED_MS = 1_500;

export const twoTabs: Scene = {
  id: 'two-tabs',
  title: 'Two tabs, one visitor',
  explains: 'What you do in one tab changes the other: the collector pushes the profile to every open page.',
  tryIt: 'Open a second tab beside this one, look at one category three times there, and watch here.',
  path: '/',
  controls: () =>
    html`<a class="button button--small" href="/lamps/flame" target="_blank">Open a second tab</a>`,
  start({ attune, happened }) {
    // Nothing here synchronises anything. The scene only looks whether somebody has just used this tab; a change
    // in a tab that nobody uses has come from another one.
    let used_at = Number.NEGATIVE_INFINITY;
    for (const type of ['pointerdown', 'keydown']) {
      addEventListener(type, (event) => {
        used_at = event.timeStamp;
      });
    }
    for (const slot of ['hero', 'guidance'] as const) {
      attune.onDecision(slot, (decision) => {
        const target = slot === 'hero' ? '#hero' : '[data-guidance]';
        if (decision && performance.now() - used_at > UNUSED_MS) {
          happened(twoTabs, target, 'of what happened in another tab', decision);
        }
      });
    }
  },
};
