/** How delivery stands: a graph of the queue over the last half minute, and the counts that must meet. */
import type { Inspection, Queue } from 'attune/devtools';
import { fill, find, html } from '../html';

const SAMPLES = 120;
const WIDTH = 320;
const HEIGHT = 64;
const LEAST_SCALE = 6;

export class DeliveryGraph {
  readonly #lengths: number[] = Array.from({ length: SAMPLES }, () => 0);
  #inherited = 0;
  readonly #troubled: boolean[] = Array.from({ length: SAMPLES }, () => false);

  constructor(private readonly place: HTMLElement) {
    fill(
      place,
      html`<h2>Delivery <small data-state>starting</small></h2>
        <svg class="graph" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Events in the queue over the last 30 seconds">
          <path data-trouble class="graph__trouble"/><path data-area class="graph__area"/><path data-line class="graph__line"/></svg>
        <dl class="counts">
          <div><dt>tracked</dt><dd data-tracked>0</dd></div><div><dt>delivered</dt><dd data-delivered>0</dd></div>
          <div><dt>waiting</dt><dd data-queue>0</dd></div>
          <div title="Sent, and not yet answered by the collector; these count as waiting as well"><dt>in flight</dt><dd data-flight>0</dd></div>
        </dl>
        <p class="wires"><span data-wire="stream">stream</span><span data-wire="breaker" title="Closed: events are sent. Open: after several failures in a row sending pauses, then one try asks whether the collector is back">breaker</span><span data-wire="bundle">bundle</span></p>
        <p class="trouble" data-trouble-text></p>`,
    );
  }

  /** Adds one sample and redraws the graph. */
  tick(queue: Queue | undefined): void {
    this.#lengths.push(queue?.events ?? 0);
    this.#troubled.push((queue?.failures ?? 0) > 0);
    this.#lengths.shift();
    this.#troubled.shift();
    const scale = Math.max(LEAST_SCALE, ...this.#lengths) * 1.15;
    const x = (sample: number) => ((sample / (SAMPLES - 1)) * WIDTH).toFixed(1);
    const y = (length: number) => (HEIGHT - 1 - (length / scale) * (HEIGHT - 4)).toFixed(1);
    const line = this.#lengths
      .map((length, sample) => `${sample === 0 ? 'M' : 'L'}${x(sample)} ${y(length)}`)
      .join('');
    this.#path('line', line);
    this.#path('area', `${line}V${HEIGHT}H0Z`);
    const step = WIDTH / (SAMPLES - 1);
    this.#path(
      'trouble',
      this.#troubled
        .map((bad, sample) =>
          bad ? `M${x(sample)} 0h${step.toFixed(1)}v${HEIGHT}h-${step.toFixed(1)}z` : '',
        )
        .join(''),
    );
  }

  /** Writes the counts and the states. */
  draw({ queue, stream, bundle_revision }: Inspection, tracked: number): void {
    // Events that an earlier page of this browser left behind count as well, once this page sends them.
    this.#inherited = Math.max(this.#inherited, queue.events - tracked);
    const all = tracked + this.#inherited;
    this.#text('tracked', String(all));
    this.#text('delivered', String(all - queue.events));
    this.#text('queue', String(queue.events));
    this.#text('flight', String(queue.in_flight));
    this.#text('state', stateOf(queue));
    this.place.classList.toggle('is-troubled', queue.failures > 0);
    this.#wire('stream', `stream ${stream}`, stream === 'open');
    this.#wire('breaker', `breaker ${queue.breaker_open ? 'open' : 'closed'}`, !queue.breaker_open);
    this.#wire('bundle', `bundle ${bundle_revision}`, bundle_revision > 0);
  }

  /** Says the last error that Attune has reported. */
  report(message: string): void {
    this.#text('trouble-text', message);
  }

  #path(name: string, outline: string): void {
    find(`[data-${name}]`, this.place).setAttribute('d', outline);
  }

  #text(name: string, text: string): void {
    const element = find(`[data-${name}]`, this.place);
    if (element.textContent !== text) element.textContent = text;
  }

  #wire(name: string, text: string, isWell: boolean): void {
    const element = find(`[data-wire="${name}"]`, this.place);
    element.textContent = text;
    element.classList.toggle('is-well', isWell);
  }
}

function stateOf({ events, in_flight, failures, breaker_open }: Queue): string {
  if (breaker_open) return 'paused, the collector is away';
  if (failures > 0) return `trying again, ${failures} failed`;
  if (in_flight > 0) return 'sending';
  return events > 0 ? 'waiting' : 'everything delivered';
}
