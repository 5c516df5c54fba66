/** Scene 4: the layout follows the device class. */
import { find, html } from '../html';
import { because, type Scene } from './scene';

const previews = { phone: 'Phone', desktop: 'Desktop' };
const chosen = () => find('#stage').dataset.preview;

export const layout: Scene = {
  id: 'layout',
  title: 'The right shape',
  explains:
    'On a phone the shelves become rows and the ways move under your thumb: a rule on the device class.',
  tryIt: 'Switch the preview below, or make the window narrow.',
  path: '/lamps/garden',
  rules: 'layout.json',
  controls: () =>
    html`<div class="choice" role="group" aria-label="Preview">${Object.entries(previews).map(
      ([name, label]) =>
        html`<button type="button" data-do="preview" data-preview="${name}" aria-pressed="${String(chosen() === name)}">${label}</button>`,
    )}</div>`,
  start({ attune, happened, on }) {
    // The rules set a class on the shop; the style sheet does the rest.
    attune.onDecision('layout', (decision) => {
      const device = decision?.rule === 'layout-phone' ? 'a phone' : 'a wide screen';
      if (decision) happened(layout, '#main', because(`the device class says this is ${device}`), decision);
    });
    on('preview', ({ dataset: { preview } }) => {
      if (!preview) return;
      find('#stage').dataset.preview = preview;
      find('#shop').scrollTo(0, 0);
      for (const button of document.querySelectorAll<HTMLElement>('[data-do="preview"]')) {
        button.setAttribute('aria-pressed', String(button.dataset.preview === preview));
      }
      attune.setContext({ device: { class: preview } });
    });
  },
};
