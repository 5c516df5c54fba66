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

/** A greeting for whoever agrees to personalization, and another one for everybody else. */
export function consentRules() {
  const greeting = (id, value, more) => ({
    ...{ id, slot: 'headline', ...more },
    actions: [{ kind: 'text', target: '#headline', value }],
  });
  return {
    rules: [
      greeting('personal', 'For you', { priority: 1 }),
      greeting('plain', 'For everybody', { consent: 'functional' }),
    ],
  };
}

/** Patterns: at an event, as a trigger at the same events, and over the page's address. */
export function patternRules() {
  const when = { 'event.metadata.words': { $regexi: '^grüner? h(u|ü)te?$' } };
  return {
    rules: [
      {
        id: 'green-hats',
        slot: 'headline',
        on: 'search',
        when,
        actions: [{ kind: 'text', target: '#headline', value: 'Green hats' }],
      },
      {
        id: 'any-page',
        slot: 'notice',
        when: { 'context.page.url': { $regex: '^http://[\\w.]+:\\d+/$' } },
        actions: [{ kind: 'variable', name: 'notice', value: 'seen' }],
      },
      {
        id: 'no-page',
        slot: 'other',
        when: { 'context.page.url': { $regex: '^https://' } },
        actions: [{ kind: 'variable', name: 'other', value: 'seen' }],
      },
    ],
    triggers: [{ id: 'searched', on: 'search', when, actions: [] }],
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
