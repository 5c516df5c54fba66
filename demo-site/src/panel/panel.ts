/** The side panel: looks into Attune while the shop is used, and tells the scenes. */
import type { Attune } from 'attune';
import { inspect, onChange, onEvent } from 'attune/devtools';
import type { DemoConfig } from '../config';
import { fill, find, html } from '../html';
import { keep, kept } from '../kept';
import { icon } from '../shop/icons';
import { drawDecisions } from './decisions';
import { DeliveryGraph } from './delivery';
import { EventList } from './events';
import { startSceneTabs } from './scene-tabs';
import { drawSignals } from './signals';

const GRAPH_TICK_MS = 250;
const OPEN = 'panel';

/** Draws the panel and keeps it true. */
export function startPanel(attune: Attune, config: DemoConfig): void {
  fill(
    find('#panel'),
    html`<button class="panel__toggle" type="button" aria-expanded="true" aria-controls="panel-body">
        ${icon('pulse')}<span>Attune, live</span><span class="panel__queue" data-waiting></span></button>
      <div class="panel__body" id="panel-body">
        <section class="panel__scenes" id="scene-tabs" aria-label="Scenes"></section>
        <section id="delivery" aria-label="Delivery"></section>
        <section aria-label="Decisions"><h2>Decisions <small>slot, rule, reason</small></h2><div id="decisions"></div></section>
        <section aria-label="Signals"><h2>Signals <small>by key</small></h2><div id="signals"></div></section>
        <section aria-label="Events"><h2>Events <small>newest first</small></h2><ol id="events" class="events"></ol></section>
      </div>`,
  );
  drawDecisions(find('#decisions'), []);
  startToggle();
  startSceneTabs(find('#scene-tabs'), config);

  const events = new EventList(find('#events'));
  const delivery = new DeliveryGraph(find('#delivery'));
  const draw = () => {
    const inside = inspect(attune);
    if (!inside) return;
    drawDecisions(find('#decisions'), inside.decisions);
    drawSignals(find('#signals'), inside.signals);
    events.draw(inside.queue.events);
    delivery.draw(inside, events.tracked);
    find('[data-waiting]').textContent = inside.queue.events > 0 ? `${inside.queue.events} waiting` : '';
  };
  onEvent(attune, (event) => events.add(event));
  onChange(attune, draw);
  attune.onError((error) => delivery.report(error.message));
  setInterval(() => {
    delivery.tick(inspect(attune)?.queue);
    draw();
  }, GRAPH_TICK_MS);
}

function startToggle(): void {
  const toggle = find<HTMLButtonElement>('.panel__toggle');
  const isWide = matchMedia('(min-width: 64rem)').matches;
  const open = (isOpen: boolean) => {
    toggle.setAttribute('aria-expanded', String(isOpen));
    document.body.classList.toggle('has-panel', isOpen);
  };
  open(isWide && kept(OPEN, true));
  toggle.addEventListener('click', () => {
    const isOpen = toggle.getAttribute('aria-expanded') !== 'true';
    keep(OPEN, isOpen);
    open(isOpen);
  });
  find('#panel').addEventListener('click', ({ target }) => {
    // A drawer would cover what the link leads to.
    if (!isWide && target instanceof Element && target.closest('a')) open(false);
  });
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape' && !isWide && toggle.getAttribute('aria-expanded') === 'true') {
      open(false);
      toggle.focus();
    }
  });
}
