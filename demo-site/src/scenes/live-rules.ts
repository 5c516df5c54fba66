/** Scene 7: whoever edits a rule file changes the open page. */
import { html } from '../html';
import { because, type Scene } from './scene';

export const liveRules: Scene = {
  id: 'live-rules',
  title: 'Edit a rule, see it here',
  explains: 'The collector watches a folder of rule files; a saved change reaches every open page at once.',
  tryIt: 'Change the text in the file below and save it: the home page’s headline above the shelves changes.',
  path: '/',
  rules: 'greeting.json',
  controls: ({ rules_dir }) =>
    html`<p class="path"><code>${rules_dir ?? 'demo-site/rules'}/greeting.json</code></p>
      <p>A file with a mistake changes nothing here; the collector’s log names the line.</p>`,
  start({ attune, happened }) {
    // The rule itself replaces the text. A rule that is changed keeps its id, so we look at the words.
    const headline = () => document.querySelector('[data-slot="greeting"]')?.textContent;
    let known = headline();
    new MutationObserver(() => {
      const words = headline();
      const decision = attune.decision('greeting');
      if (known && words && words !== known && decision) {
        happened(liveRules, '[data-slot="greeting"]', because('somebody has edited the rule'), decision);
      }
      known = words ?? known;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  },
};
