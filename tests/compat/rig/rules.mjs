/** Signals that count what the libraries' programs send. */

const count = (name, on) => ({ name, on, aggregate: 'count', window: 'lifetime' });

export const RULES = {
  signals: [
    count('visits', 'Visited'),
    count('orders', 'Order Completed'),
    count('pages', 'page_view'),
    count('groups', 'attune.group'),
    count('aliases', 'attune.alias'),
    { name: 'spent', on: 'Order Completed', of: 'metadata.total', aggregate: 'sum', window: 'lifetime' },
  ],
};
