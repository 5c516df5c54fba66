/** The page that lists what can be seen happening here, and how to make it happen. */
import { html } from '../html';
import { sceneCard, scenes } from '../scenes/index';
import type { Page } from './page';

export const how: Page = {
  title: 'How it works',
  banner: 'none',
  view: ({ config }) => html`
    <div class="heading">
      <h1 class="title">How this shop adapts</h1>
      <p class="lead">Every click is an event. A small WebAssembly core in this page keeps signals from them, holds the rules against
      the signals at once, and hands each event to the collector until it is safe there. Nothing below is staged.</p>
    </div>
    <ol class="scenes">${scenes.map((scene) => html`<li class="scenes__item">${sceneCard(scene, config)}</li>`)}</ol>`,
};
