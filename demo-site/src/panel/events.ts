/** The events of this page load, each with how far it has come. */
import type { TappedEvent } from 'attune/devtools';
import { fill, html } from '../html';

const SHOWN = 40;

export class EventList {
  /** Events captured by this page load. */
  tracked = 0;
  readonly #events: (TappedEvent & { number: number })[] = [];
  #drawn = '';

  constructor(private readonly place: Element) {}

  add(event: TappedEvent): void {
    this.tracked += 1;
    this.#events.unshift({ ...event, number: this.tracked });
    this.#events.length = Math.min(this.#events.length, SHOWN);
  }

  /** Draws the list; as events leave in order, the newest are the ones that still wait. */
  draw(waiting: number): void {
    const rows = this.#events.map(({ number, event_type, timestamp_ms, metadata }) => {
      const isWaiting = number > this.tracked - waiting;
      return html`<li class="event ${isWaiting ? 'is-waiting' : 'is-safe'}">
        <code>${event_type}</code><span class="event__what">${gist(metadata)}</span>
        <time>${new Date(timestamp_ms).toLocaleTimeString('en-GB')}</time>
        <span class="event__state">${isWaiting ? 'waiting' : 'delivered'}</span></li>`;
    });
    const drawn = html`${rows}`;
    if (drawn.text === this.#drawn) return;
    this.#drawn = drawn.text;
    fill(this.place, drawn);
  }
}

const telling = [
  'category',
  'product_id',
  'step',
  'answer',
  'amount',
  'items',
  'turn',
  'rule',
  'key',
  'path',
];

/** The two most telling values of the metadata. */
function gist(metadata: unknown): string {
  if (typeof metadata !== 'object' || metadata === null) return '';
  const values = metadata as Record<string, unknown>;
  return telling
    .filter((name) => values[name] !== undefined)
    .slice(0, 2)
    .map((name) => String(values[name]))
    .join(', ');
}
