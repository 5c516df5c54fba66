/** The visitor of a preview: the rules in effect over what is done in this tab, with what the link forces. */

import type { JsonObject } from '../context.ts';
import { answer, coreModule, loadCore, opened, put, putText } from '../core-module.ts';
import { type Explanation, Visitor, type VisitorDecision } from '../evaluator/visitor.ts';
import { PREVIEW } from '../preview-token.ts';
import type { Said } from './token.ts';

/** What a rule would do in its slot. */
export type Candidate = Pick<VisitorDecision, 'slot' | 'rule' | 'actions'>;

/** The rules over one visitor of nobody's. */
export interface Model {
  readonly visitor: Visitor;
  /** The rules of each slot, by slot. */
  readonly slots: ReadonlyMap<string, string[]>;
  /** What fills the slots now; `isForced` says whether the link says so. */
  decide(): (Candidate & { isForced: boolean })[];
  explain(rule: string): Explanation;
  /** Takes events in, in the form of the wire. */
  absorb(events: JsonObject[]): void;
  setContext(context: JsonObject): void;
  /** What the link names and the bundle has not. */
  readonly unknown: string[];
}

/** Loads `core.wasm` and opens the bundle. */
export async function openModel(bundle: Uint8Array, member: string, said: Said): Promise<Model> {
  await loadCore(new URL(ATTUNE_CORE_WASM, import.meta.url));
  const core = coreModule();
  const handle = opened(core, core.evaluator_new(put(core, bundle)));
  const visitor = new Visitor(handle, member);
  const rules = answer<string[]>(core, core.evaluator_rules(handle));
  const slots = new Map<string, string[]>();
  for (const rule of rules) {
    const slot = visitor.preview(rule)?.slot;
    if (slot !== undefined) slots.set(slot, [...(slots.get(slot) ?? []), rule]);
  }
  const forced = said.rules.filter((rule) => rules.includes(rule));
  const setContext = (context: JsonObject) =>
    visitor.set({ context: withSaid(context, said) as Record<string, never> });
  setContext({});
  return {
    visitor,
    slots,
    unknown: said.rules.filter((rule) => !rules.includes(rule)),
    decide() {
      visitor.at(Date.now());
      const found = new Map(
        visitor.decide().map((decision) => [decision.slot, { ...decision, isForced: false }]),
      );
      for (const rule of forced) {
        const candidate = visitor.preview(rule);
        if (candidate) found.set(candidate.slot, { key: null, reason: null, ...candidate, isForced: true });
      }
      return [...found.values()];
    },
    explain: (rule) => visitor.explain(rule),
    absorb(events) {
      answer(core, core.evaluator_absorb(handle, putText(core, JSON.stringify(events))));
      visitor.refresh();
    },
    setContext,
  };
}

/** The page's context with the fields of the link, and with the variations in the page's address, which forces them. */
function withSaid(context: JsonObject, { context: fields, variations }: Said): JsonObject {
  const page = { ...(context.page as JsonObject | undefined), ...(fields.page as JsonObject | undefined) };
  const [address = '', ...query] = String(page.url ?? '').split('?');
  const own = query.join('?').replace(new RegExp(`(^|&)${PREVIEW}=[^&#]*`), '');
  const forced = Object.entries(variations).map(([experiment, place]) => `${experiment}=${place}`);
  return { ...context, ...fields, page: { ...page, url: `${address}?${[...forced, own].join('&')}` } };
}
