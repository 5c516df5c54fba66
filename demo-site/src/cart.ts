/** The shopping cart: kept by the shop itself, shared by its tabs; every change is tracked. */
import type { Attune } from 'attune';
import { findLamp, type Lamp } from './catalogue';
import { isKept, keep, kept } from './kept';

const NAME = 'cart';

export interface CartLine {
  readonly lamp: Lamp;
  readonly quantity: number;
}

export class Cart extends EventTarget {
  #quantities: Record<string, number>;

  constructor(private readonly attune: Attune) {
    super();
    this.#quantities = kept(NAME, {});
    addEventListener('storage', ({ key }) => {
      if (!isKept(NAME, key)) return;
      this.#quantities = kept(NAME, {});
      this.dispatchEvent(new Event('change'));
    });
  }

  get lines(): CartLine[] {
    return Object.entries(this.#quantities).flatMap(([id, quantity]) => {
      const lamp = findLamp(id);
      return lamp ? [{ lamp, quantity }] : [];
    });
  }

  get count(): number {
    return this.lines.reduce((count, line) => count + line.quantity, 0);
  }

  get total_cents(): number {
    return this.lines.reduce((total, { lamp, quantity }) => total + lamp.price_cents * quantity, 0);
  }

  add(lamp: Lamp): void {
    this.#change(lamp.id, 1);
    this.attune.track('add_to_cart', {
      product_id: lamp.id,
      category: lamp.category,
      price_cents: lamp.price_cents,
    });
  }

  remove(lamp: Lamp): void {
    this.#change(lamp.id, -1);
    this.attune.track('remove_from_cart', { product_id: lamp.id, category: lamp.category });
    if (this.count === 0) this.attune.track('empty_cart');
  }

  /** Buys everything at the total that the page has shown. */
  buy(paid_cents: number): void {
    const items = this.count;
    this.#quantities = {};
    this.#keep();
    this.attune.track('purchase', { items, paid_cents }, { priority: 'critical' });
  }

  #change(id: string, by: number): void {
    const quantity = (this.#quantities[id] ?? 0) + by;
    if (quantity > 0) this.#quantities[id] = quantity;
    else delete this.#quantities[id];
    this.#keep();
  }

  #keep(): void {
    keep(NAME, this.#quantities);
    this.dispatchEvent(new Event('change'));
  }
}
