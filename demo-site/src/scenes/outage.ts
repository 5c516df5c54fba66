/** Scene 6: the collector stops and starts again, and nothing is lost. */
import { html } from '../html';
import type { Scene } from './scene';

const seconds = 10;

export const outage: Scene = {
  id: 'outage',
  title: 'The collector stops',
  explains:
    'While the collector is away, events wait in the page; when it is back, they leave, each of them once.',
  tryIt: `Stop the collector for ${seconds} seconds, go on clicking, and watch the queue grow and drain.`,
  path: '/',
  controls: ({ control }) => html`<div class="choice">
    ${control === null ? html`<span>Start the shop with <code>npm start</code> for this one.</span>` : html`<button type="button" data-do="outage">Stop for ${seconds} s</button>`}
    <button type="button" data-do="flicker">Flick a switch 10 times</button>
  </div>`,
  start({ attune, config: { control }, happened, on }) {
    on('outage', async (button) => {
      button.setAttribute('disabled', '');
      setTimeout(() => button.removeAttribute('disabled'), seconds * 1_000);
      await fetch(`${control}/outage?seconds=${seconds}`, { method: 'POST' });
      happened(outage, '#delivery', `The collector is stopped for ${seconds} seconds.`);
    });
    on('flicker', () => {
      for (let turn = 1; turn <= 10; turn++) attune.track('flick_switch', { turn });
    });
  },
};
