/** The scenes as seven numbers, one of them told; a scene that has happened carries a light. */
import type { DemoConfig } from '../config';
import { fill, find, html } from '../html';
import { numberOf, sceneCard, scenes } from '../scenes/index';
import type { Scene } from '../scenes/scene';
import { seen } from '../spotlight';

/** Draws the numbers and the card of the chosen scene; the first that was not seen yet is chosen. */
export function startSceneTabs(place: HTMLElement, config: DemoConfig): void {
  let chosen = scenes.find(({ id }) => !seen.has(id)) ?? scenes[0];
  const draw = (hasNewCard = true) => {
    for (const tab of place.querySelectorAll<HTMLElement>('[data-scene]')) {
      tab.setAttribute('aria-pressed', String(tab.dataset.scene === chosen?.id));
      tab.classList.toggle('is-seen', seen.has(tab.dataset.scene ?? ''));
    }
    if (hasNewCard && chosen) fill(find('.panel__card', place), sceneCard(chosen, config));
  };
  fill(
    place,
    html`<div class="numbers" role="group" aria-label="Choose a scene">${scenes.map(
      (scene) =>
        html`<button type="button" data-scene="${scene.id}" aria-label="Scene ${numberOf(scene)}: ${scene.title}">${numberOf(scene)}</button>`,
    )}</div><div class="panel__card"></div>`,
  );
  place.addEventListener('click', ({ target }) => {
    const tab = target instanceof Element ? target.closest<HTMLElement>('[data-scene]') : null;
    const scene = scenes.find(({ id }) => id === tab?.dataset.scene);
    if (!scene) return;
    chosen = scene;
    draw();
  });
  document.addEventListener('scene', (event) => {
    const happened = (event as CustomEvent<Scene>).detail;
    const isNew = chosen !== happened;
    chosen = happened;
    draw(isNew);
  });
  draw();
}
