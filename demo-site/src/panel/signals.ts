/** Every signal with its value, or its values by key. */
import { fill, type Html, html } from '../html';

/** Draws what `inspect` says of the signals. */
export function drawSignals(place: HTMLElement, signals: Record<string, unknown>): void {
  const rows = Object.entries(signals).map(
    ([name, value]) => html`<li class="signal"><code>${name}</code><span>${shown(value)}</span></li>`,
  );
  const drawn = html`<ul class="signals">${rows}</ul>`;
  if (place.dataset.drawn === drawn.text) return;
  place.dataset.drawn = drawn.text;
  fill(place, drawn);
}

function shown(value: unknown): Html | string {
  if (value === null || value === undefined) return 'nothing yet';
  if (typeof value !== 'object') return moment(value);
  const keys = Object.entries(value);
  if (keys.length === 0) return 'nothing yet';
  return html`${keys.map(([key, of]) => html`<span class="chip">${key} <b>${moment(of)}</b></span>`)}`;
}

/** Instants are shown as the time of day. */
function moment(value: unknown): string {
  const text = String(value);
  const at =
    typeof value === 'number' && value > 1e12
      ? value
      : /^\d{4}-\d\d-\d\dT/.test(text)
        ? Date.parse(text)
        : Number.NaN;
  return Number.isNaN(at) ? text : new Date(at).toLocaleTimeString('en-GB');
}
