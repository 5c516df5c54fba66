/** Sets the scenes going: gives them the buttons, and holds the spotlight back while the page starts. */
import type { Attune } from 'attune';
import type { DemoConfig } from './config';
import { scenes } from './scenes/index';
import type { Scene } from './scenes/scene';
import { spotlight } from './spotlight';

const SETTLING_MS = 1_500;

/** Starts every scene. What is decided while the page starts was decided earlier, and is not announced again. */
export function startScenes(attune: Attune, config: DemoConfig): void {
  const told = new Map<string, string>();
  let isSettled = false;
  let settling: ReturnType<typeof setTimeout> | undefined;
  const settle = () => {
    isSettled = false;
    clearTimeout(settling);
    settling = setTimeout(() => {
      isSettled = true;
    }, SETTLING_MS);
  };
  settle();
  // A page that comes back from the back/forward cache starts once more.
  addEventListener('pageshow', ({ persisted }) => persisted && settle());

  const pressed = new Map<string, (button: HTMLElement) => void>();
  addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>('[data-do]') : null;
    if (button) pressed.get(button.dataset.do ?? '')?.(button);
  });

  for (const scene of scenes) {
    scene.start({
      attune,
      config,
      on: (name, callback) => pressed.set(name, callback),
      happened: (teller: Scene, target, says, decision) => {
        const news = JSON.stringify([says, decision?.rule, decision?.key]);
        const isNews = told.get(teller.id) !== news;
        told.set(teller.id, news);
        if (isNews && isSettled) whenVisible(() => spotlight(teller, target, says, decision));
      },
    });
  }
}

let waiting: (() => void) | undefined;

/** Calls back at once in the tab in front, else when its visitor comes back to it; the last news is enough. */
function whenVisible(show: () => void): void {
  waiting = show;
  if (document.hidden) return;
  waiting = undefined;
  show();
}

document.addEventListener('visibilitychange', () => {
  if (waiting && !document.hidden) whenVisible(waiting);
});
