/** Points at what has just changed and says what has happened, without moving anything. */
import type { Decision } from 'attune';
import { fill, find, html } from './html';
import { keep, kept } from './kept';
import { numberOf } from './scenes/index';
import type { Scene } from './scenes/scene';

const LIT_MS = 3_500;
const SAID_MS = 6_000;
const SEEN = 'seen';

/** Scenes that have happened in this browser. */
export const seen = new Set<string>(kept<string[]>(SEEN, []));

let quiet: ReturnType<typeof setTimeout> | undefined;

/** Lights the target, says what has happened, and ticks the scene off. */
export function spotlight(scene: Scene, target: string, says: string, decision?: Decision): void {
  for (const element of document.querySelectorAll<HTMLElement>(target)) {
    element.classList.remove('is-lit');
    // Reading the width restarts the animation of an element that is lit already.
    void element.offsetWidth;
    element.classList.add('is-lit');
    setTimeout(() => element.classList.remove('is-lit'), LIT_MS);
  }
  const box = find('#spotlight');
  fill(
    box,
    html`<span class="number">${numberOf(scene)}</span>
      <p><b>${scene.title}.</b> ${says}
      ${decision && html`<span class="spotlight__rule">rule <code>${decision.rule}</code>${decision.key && html`, key <code>${decision.key}</code>`}</span>`}</p>
      <button type="button" class="spotlight__close" aria-label="Close">×</button>`,
  );
  find('.spotlight__close', box).addEventListener('click', () => box.classList.remove('is-on'));
  box.classList.add('is-on');
  clearTimeout(quiet);
  quiet = setTimeout(() => box.classList.remove('is-on'), SAID_MS);
  seen.add(scene.id);
  keep(SEEN, [...seen]);
  document.dispatchEvent(new CustomEvent('scene', { detail: scene }));
}
