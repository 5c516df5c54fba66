/** The rule file of the tests: the third view of a category changes the headline for the rest of the session. */

/** The rules, with the text that the headline is to show. */
export function thirdViewRules(text = 'Picked for you') {
  return {
    signals: [
      {
        name: 'category_views',
        on: 'product_view',
        by: 'metadata.category',
        aggregate: 'count',
        window: 'lifetime',
      },
    ],
    rules: [
      {
        id: 'third-view',
        slot: 'headline',
        on: 'product_view',
        when: {
          $signal: { name: 'category_views', key: { $path: 'event.metadata.category' }, is: { $gte: 3 } },
        },
        hold: 'session',
        actions: [{ kind: 'text', target: '#headline', value: text }],
      },
    ],
  };
}

/** The same as a level: it holds for whoever has seen three lamps, wherever that was. */
export function fanRules() {
  return {
    signals: [
      {
        name: 'category_views',
        on: 'product_view',
        by: 'metadata.category',
        aggregate: 'count',
        window: 'lifetime',
      },
    ],
    rules: [
      {
        id: 'lamp-fan',
        slot: 'headline',
        when: { 'signals.category_views.lamps': { $gte: 3 } },
        actions: [{ kind: 'text', target: '#headline', value: 'For friends of lamps' }],
      },
    ],
  };
}

/** A level that holds for everybody. */
export function greetingRules(text) {
  return {
    rules: [
      {
        id: 'greeting',
        slot: 'headline',
        when: { 'context.device.class': { $exists: true } },
        actions: [{ kind: 'text', target: '#headline', value: text }],
      },
    ],
  };
}
