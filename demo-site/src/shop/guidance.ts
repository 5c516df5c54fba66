/** The advice that the visitor's answers bring: its card, and the mark on the lamps that follow it. */
import type { Attune } from 'attune';
import { findLamp, type Lamp } from '../catalogue';
import { fill, type Html, html } from '../html';
import { icon } from './icons';

/** The value that rules/guidance.json hands over as the variable `guidance`. */
export type Guidance = {
  title: string;
  line: string;
  link: string;
  step: number;
  min_kelvin?: number;
  max_kelvin?: number;
  min_lumen?: number;
  max_lumen?: number;
};

const unknown: Guidance = {
  title: 'Which light suits you?',
  line: 'Three short questions, and every shelf shows which lamps to look at first.',
  link: 'Find your light',
  step: 0,
};

/** An empty place for the card; `applyGuidance` fills it. */
export const guidancePlace = (): Html => html`<div class="guidance" data-guidance></div>`;

/** Fills every card on the page and marks the lamps that fit. */
export function applyGuidance(attune: Attune): void {
  const guidance = attune.variable<Guidance>('guidance', unknown);
  for (const place of document.querySelectorAll('[data-guidance]')) fill(place, card(guidance));
  for (const shown of document.querySelectorAll('[data-lamp]')) {
    const lamp = findLamp(shown.getAttribute('data-lamp') ?? '');
    shown.classList.toggle('is-fitting', lamp !== undefined && fits(lamp, guidance));
  }
}

function card({ title, line, link, step }: Guidance): Html {
  return html`<ol class="steps" aria-label="${step} of 3 answered">${[1, 2, 3].map(
    (number) => html`<li class="${number <= step && 'is-done'}"></li>`,
  )}</ol>
    <div class="guidance__text"><p class="guidance__title">${title}</p><p class="guidance__line">${line}</p></div>
    <a class="button button--quiet" href="/fit">${link}${icon('arrow')}</a>`;
}

function fits(
  { kelvin, lumen }: Lamp,
  { step, min_kelvin = 0, max_kelvin = 9_999, min_lumen = 0, max_lumen = 9_999 }: Guidance,
): boolean {
  return (
    step === 3 && kelvin >= min_kelvin && kelvin <= max_kelvin && lumen >= min_lumen && lumen <= max_lumen
  );
}
