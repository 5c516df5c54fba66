/** What fills each slot, by which rule, and why. */
import type { Decision } from 'attune';
import { fill, html } from '../html';

const slots = ['hero', 'offer', 'guidance', 'layout', 'greeting'];

const reasons: Record<string, string> = {
  level: 'its condition holds now',
  latched: 'an event matched, and it stays',
};

/** Every slot of the shop, the empty ones too, so that rows keep their places. */
export function drawDecisions(place: Element, decisions: readonly Decision[]): void {
  const known = [...new Set([...slots, ...decisions.map(({ slot }) => slot)])];
  const rows = known.map((slot) => {
    const decision = decisions.find((candidate) => candidate.slot === slot);
    return html`<li class="decision ${decision && 'is-on'}"><b>${slot}</b>
      <span>${decision ? html`<code>${decision.rule}</code>${decision.key && html` <i>${decision.key}</i>`}` : 'the page as it is'}</span>
      <small>${decision ? (reasons[decision.reason] ?? decision.reason) : 'no rule holds'}</small></li>`;
  });
  const drawn = html`<ul class="decisions">${rows}</ul>`;
  if (place.innerHTML !== drawn.text) fill(place, drawn);
}
