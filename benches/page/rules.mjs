/** The rules of the pages that are measured: signals counted by category, and rules over them. */

export const SIGNALS = 10;
export const RULES = 20;

/** A rule file of so many of each. */
export function rules() {
  const signals = Array.from({ length: SIGNALS }, (_, index) => ({
    name: `views_${index}`,
    on: 'page_view',
    by: 'metadata.category',
    aggregate: 'count',
    window: `${5 * (index + 1)}m`,
  }));
  const rules = Array.from({ length: RULES }, (_, index) => ({
    id: `rule-${index}`,
    slot: `slot-${index % 5}`,
    when: { [`signals.views_${index % SIGNALS}.c${index % 7}`]: { $gte: 100 + index } },
    actions: [{ kind: 'variable', name: `shown_${index}`, value: true }],
  }));
  return { signals, rules };
}
