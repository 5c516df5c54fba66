/** The onboarding: three questions, each answer an event, the guidance changing with every one. */
import { fill, type Html, html } from '../html';
import { guidancePlace } from '../shop/guidance';
import { icon } from '../shop/icons';
import type { Page } from './page';

interface Question {
  readonly step: 'place' | 'hour' | 'amount';
  readonly asks: string;
  readonly answers: readonly (readonly [id: string, name: string, line: string])[];
}

const questions: readonly Question[] = [
  {
    step: 'place',
    asks: 'Where will it stand?',
    answers: [
      ['bed', 'By the bed', 'within reach, half asleep'],
      ['chair', 'By the good chair', 'where the books pile up'],
      ['table', 'Over the table', 'plates, elbows, cards'],
      ['outside', 'Outside the door', 'keys, steps, weather'],
    ],
  },
  {
    step: 'hour',
    asks: 'When do you switch it on?',
    answers: [
      ['early', 'Before supper', 'there is work left to see'],
      ['dinner', 'At supper', 'with the people you like'],
      ['late', 'After ten', 'when the street is quiet'],
    ],
  },
  {
    step: 'amount',
    asks: 'How much of the dark may stay?',
    answers: [
      ['glimmer', 'Most of it', 'a glimmer will do'],
      ['pool', 'The corners', 'one pool of light'],
      ['room', 'None', 'the whole room, please'],
    ],
  },
];

export const fit: Page = {
  title: 'Find your light',
  banner: 'none',
  view: () =>
    html`<div class="fit"><h1 class="title">Find your light</h1>${guidancePlace()}<div data-question></div></div>`,
  shown: (root, { attune }) => {
    const place = root.querySelector('[data-question]');
    if (!place) return;
    const ask = (number: number) =>
      fill(place, questions[number] ? question(questions[number], number) : done);
    place.addEventListener('click', ({ target }) => {
      const chosen = target instanceof Element ? target.closest('button') : null;
      const number = Number(chosen?.dataset.number);
      const asked = questions[number];
      const answer = chosen?.dataset.answer;
      if (!asked || answer === undefined) return;
      // That is all the shop says; rules/guidance.json makes the guidance of it.
      attune.track('fit_step', { step: asked.step, answer });
      ask(number + 1);
      place.querySelector<HTMLElement>('h2')?.focus();
    });
    ask(0);
  },
};

const question = ({ step, asks, answers }: Question, number: number): Html => html`
  <p class="eyebrow">Question ${number + 1} of ${questions.length}</p>
  <h2 class="fit__asks" tabindex="-1" id="asks-${step}">${asks}</h2>
  <div class="fit__answers" role="group" aria-labelledby="asks-${step}">${answers.map(
    ([
      id,
      name,
      line,
    ]) => html`<button type="button" class="answer" data-number="${number}" data-answer="${id}">
      <b>${name}</b><span>${line}</span></button>`,
  )}</div>`;

const done = html`
  <p class="eyebrow">That is all</p>
  <h2 class="fit__asks" tabindex="-1">Every shelf knows it now</h2>
  <p class="lead">Lamps that suit your answers carry the mark <span class="mark-fits mark-fits--inline">${icon('check')}Your light</span>, in this tab and in any other.</p>
  <p><a class="button" href="/lamps/reading">Look at the shelves</a></p>`;
