/** What a scene is: one thing that can be seen happening, told in two lines. */
import type { Attune, Decision } from 'attune';
import type { DemoConfig } from '../config';
import type { Html } from '../html';

/** What scenes may use. */
export interface Stage {
  readonly attune: Attune;
  readonly config: DemoConfig;
  /** Points at the part of the page that has just changed and says in a sentence what has happened. */
  readonly happened: (scene: Scene, target: string, says: string, decision?: Decision) => void;
  /** Calls back when a button with `data-do="name"` is pressed. */
  readonly on: (name: string, pressed: (button: HTMLElement) => void) => void;
}

/** The sentence that says why something has changed. */
export const because = (reason: string): string => `This changed because ${reason}.`;

export interface Scene {
  readonly id: string;
  readonly title: string;
  /** What happens, in one line. */
  readonly explains: string;
  /** How to make it happen, in one line. */
  readonly tryIt: string;
  /** Where to make it happen. */
  readonly path: string;
  /** Rule file that decides, in the folder of the rules. */
  readonly rules?: string;
  /** Buttons of the scene, if it has any. */
  readonly controls?: (config: DemoConfig) => Html;
  /** Called once, when the shop starts. */
  readonly start: (stage: Stage) => void;
}
