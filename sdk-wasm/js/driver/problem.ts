/** What the page is told of a change that is left out. */

import type { Report } from '../dom/page.ts';
import { AttuneError } from '../errors.ts';

/** Makes an error of each problem: it names rule, slot, kind of action, what it is about, and why it is left out. */
export function problemReport(report: (error: AttuneError) => void): Report {
  return (problem, [kind, target, texts], slot, rule) => {
    const isLoop = problem === 'loop';
    const action = kind === 'further' ? texts[0] : kind;
    const why = isLoop ? 'the page keeps undoing it' : problem;
    const where = target && target !== rule ? ` on "${target}"` : '';
    const message = `rule "${rule}", slot "${slot}": ${action}${where} is left out: ${why}`;
    report(new AttuneError(isLoop ? 'action_loop' : 'action_refused', message, 'usage'));
  };
}
