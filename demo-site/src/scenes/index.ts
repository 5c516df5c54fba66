/** The scenes in the order in which they are told, and the card that tells one. */
import type { DemoConfig } from '../config';
import { type Html, html } from '../html';
import { icon } from '../shop/icons';
import { cartOffer } from './cart-offer';
import { guidance } from './guidance';
import { layout } from './layout';
import { liveRules } from './live-rules';
import { outage } from './outage';
import type { Scene } from './scene';
import { thirdView } from './third-view';
import { twoTabs } from './two-tabs';

export const scenes: readonly Scene[] = [thirdView, cartOffer, guidance, layout, twoTabs, outage, liveRules];

/** The number under which a scene is shown. */
export const numberOf = (scene: Scene): number => scenes.indexOf(scene) + 1;

/** A scene in words: what happens, how to try it, its buttons, its rule file. */
export function sceneCard(scene: Scene, config: DemoConfig): Html {
  const { title, explains, tryIt, path, rules, controls } = scene;
  return html`<article class="scene-card">
    <h2 class="scene-card__title"><span class="number">${numberOf(scene)}</span>${title}</h2>
    <p>${explains}</p>
    <p class="scene-card__try"><b>Try it</b> ${tryIt}</p>
    <div class="scene-card__controls">${controls?.(config)}</div>
    <p class="scene-card__foot">
      <a href="${path}">Go there ${icon('arrow')}</a>
      ${rules && html`<span>decided by <code>${rules}</code></span>`}
    </p>
  </article>`;
}
